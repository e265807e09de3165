package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.spark.rpc.RpcEnv;

/**
 * Values of Java as JSON, by which both sides of a test say what they have.
 *
 * A String is a string, null is null, all else is <code>[type, …]</code>: <code>["Integer", "5"]</code>, <code>["ArrayList",
 * [["Long", "1"], "a"]]</code>. An object that was met before is <code>["#", n]</code>, with n its place among those that can be
 * shared. What is long is told by its length and SHA-256.
 */
final class Notation {
  /** What is longer is not written out. */
  static final int MAX_SHOWN = 1_000;

  private Notation() {}

  static JsonNode describe(Object value) {
    return new Describer().describe(value);
  }

  static Object build(JsonNode notation, RpcEnv rpcEnv) {
    return new Builder(rpcEnv).build(notation);
  }

  static ObjectNode failure(Throwable failure) {
    ObjectNode described = Session.JSON.createObjectNode();
    described.put("class", failure.getClass().getName());
    described.put("message", failure.getMessage());
    described.put("stack", failure.getStackTrace().length);
    if (failure.getStackTrace().length > 0) described.put("top", failure.getStackTrace()[0].toString());
    if (failure.getCause() != null) described.set("cause", failure(failure.getCause()));
    return described;
  }

  /** The bytes that stand for a length and a seed. */
  static byte[] pattern(int length, int seed) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) bytes[i] = (byte) (i * 31 + seed + (i >> 8));
    return bytes;
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  static String sha256(byte[] bytes) {
    try {
      return hex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException never) {
      throw new IllegalStateException(never);
    }
  }
}
