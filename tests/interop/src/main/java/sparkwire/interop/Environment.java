package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.rpc.RpcEndpointRef;
import org.apache.spark.rpc.RpcEnv;
import org.apache.spark.rpc.RpcTimeout;
import scala.Option;
import scala.concurrent.Future;
import scala.concurrent.duration.FiniteDuration;
import scala.reflect.ClassTag$;

/** An RpcEnv of Spark with the endpoints of {@link Endpoints}, and what a test makes it do. */
final class Environment {
  private static final long DEFAULT_TIMEOUT_MS = 30_000;
  private static final int READ_BYTES = 65_536;

  final RpcEnv rpcEnv;
  private final String name;
  private final Session session;
  private final Map<Integer, RpcEndpointRef> refs = new ConcurrentHashMap<>();
  private final AtomicInteger lastRef = new AtomicInteger();
  private final Endpoints endpoints;

  Environment(Session session, JsonNode command) {
    this.session = session;
    this.name = command.get("env").asText();
    SparkConf conf = new SparkConf(false).set("spark.rpc.io.numConnectionsPerPeer", "1");
    command.path("conf").fields().forEachRemaining(entry -> conf.set(entry.getKey(), entry.getValue().asText()));
    SecurityManager security = new SecurityManager(conf, Option.empty(), org.apache.spark.internal.config.package$.MODULE$.AUTH_SECRET_FILE());
    this.rpcEnv = RpcEnv.create(name, "127.0.0.1", command.path("port").asInt(), conf, security, command.path("client").asBoolean());
    this.endpoints = new Endpoints(this);
  }

  JsonNode describe() {
    ObjectNode described = Session.JSON.createObjectNode();
    described.put("address", rpcEnv.address() == null ? null : rpcEnv.address().hostPort());
    return described;
  }

  void shutdown() {
    rpcEnv.shutdown();
    rpcEnv.awaitTermination();
  }

  /** Tells the test what happened here. */
  void event(String event, ObjectNode details) {
    session.event(event, details.put("env", name));
  }

  /** Keeps a reference, so that commands can name it by its number. */
  int keep(RpcEndpointRef ref) {
    int number = lastRef.incrementAndGet();
    refs.put(number, ref);
    return number;
  }

  JsonNode perform(String op, JsonNode command) throws Exception {
    switch (op) {
      case "lookup":
        return describeRef(rpcEnv.setupEndpointRefByURI(command.get("uri").asText()));
      case "ask":
        return Notation.describe(ask(target(command), build(command.get("value")), command));
      case "askMany":
        return Notation.describe(askMany(target(command), build(command.get("value")), command.get("count").asInt()));
      case "send":
        target(command).send(build(command.get("value")));
        return Session.JSON.nullNode();
      case "sendMany":
        RpcEndpointRef target = target(command);
        for (int i = 0; i < command.get("count").asInt(); i++) target.send(i);
        return Session.JSON.nullNode();
      case "release":
        endpoints.release(build(command.get("value")));
        return Session.JSON.nullNode();
      case "download":
        return download(command.get("uri").asText());
      case "addFile":
        return text(rpcEnv.fileServer().addFile(new File(command.get("path").asText())));
      case "addJar":
        return text(rpcEnv.fileServer().addJar(new File(command.get("path").asText())));
      case "addDirectory":
        return text(rpcEnv.fileServer().addDirectory(command.get("base").asText(), new File(command.get("path").asText())));
      case "shutdown":
        shutdown();
        return Session.JSON.nullNode();
      default:
        throw new IllegalArgumentException("No such command: " + op);
    }
  }

  /** What a notation stands for; <code>["kept", n]</code> is a reference that was kept. */
  private Object build(JsonNode notation) {
    if (notation.isArray() && notation.get(0).asText().equals("kept")) return refs.get(notation.get(1).asInt());
    return Notation.build(notation, rpcEnv);
  }

  private JsonNode describeRef(RpcEndpointRef ref) {
    ObjectNode described = Session.JSON.createObjectNode();
    described.put("ref", keep(ref));
    described.set("value", Notation.describe(ref));
    return described;
  }

  private RpcEndpointRef target(JsonNode command) {
    RpcEndpointRef ref = refs.get(command.path("ref").asInt());
    if (ref == null) throw new IllegalArgumentException("No such reference: " + command);
    return ref;
  }

  private static Object ask(RpcEndpointRef ref, Object message, JsonNode command) {
    FiniteDuration limit = new FiniteDuration(command.path("timeoutMs").asLong(DEFAULT_TIMEOUT_MS), TimeUnit.MILLISECONDS);
    return ref.askSync(message, new RpcTimeout(limit, "interop.timeout"), ClassTag$.MODULE$.Any());
  }

  /** Asks so many times at once; gives how many of the answers are equal to what was asked. */
  private static int askMany(RpcEndpointRef ref, Object message, int count) throws Exception {
    RpcTimeout limit = new RpcTimeout(new FiniteDuration(DEFAULT_TIMEOUT_MS, TimeUnit.MILLISECONDS), "interop.timeout");
    List<Future<Object>> asked = new ArrayList<>();
    for (int i = 0; i < count; i++) asked.add(ref.ask(message, limit, ClassTag$.MODULE$.Any()));
    int same = 0;
    for (Future<Object> answer : asked) if (Objects.deepEquals(message, limit.awaitResult(answer))) same++;
    return same;
  }

  private JsonNode download(String uri) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    long length = 0;
    try (ReadableByteChannel channel = rpcEnv.openChannel(uri)) {
      ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
      while (channel.read(buffer) >= 0) {
        length += buffer.position();
        digest.update(buffer.array(), 0, buffer.position());
        buffer.clear();
      }
    }
    ObjectNode described = Session.JSON.createObjectNode();
    return described.put("length", length).put("sha256", Notation.hex(digest.digest()));
  }

  private static JsonNode text(String text) {
    return Session.JSON.getNodeFactory().textNode(text);
  }
}
