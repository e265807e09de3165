package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.network.BlockTransferService;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.shuffle.BlockFetchingListener;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.io.ChunkedByteBuffer;
import scala.reflect.ClassTag$;

/** A driver of Spark: a SparkContext with its file server and its block manager. There is one in a JVM at a time. */
final class Driver {
  private static final long FETCH_SECONDS = 30;

  private final JavaSparkContext context;
  private final SparkEnv env;

  Driver(JsonNode command) {
    SparkConf conf = new SparkConf(false)
        .setMaster("local[1]")
        .setAppName("interop")
        .set("spark.driver.host", "127.0.0.1")
        .set("spark.driver.bindAddress", "127.0.0.1")
        .set("spark.ui.enabled", "false")
        // A driver refuses to start in a heap this small unless it is told that it has another.
        .set("spark.testing.memory", String.valueOf(1L << 30));
    command.path("conf").fields().forEachRemaining(entry -> conf.set(entry.getKey(), entry.getValue().asText()));
    context = new JavaSparkContext(conf);
    env = SparkEnv.get();
  }

  JsonNode describe() {
    BlockTransferService blocks = transfer();
    return Session.JSON.createObjectNode()
        .put("address", env.rpcEnv().address().hostPort())
        .put("blocks", blocks.hostName() + ":" + blocks.port())
        .put("appId", context.sc().applicationId());
  }

  void stop() {
    context.stop();
  }

  private BlockTransferService transfer() {
    return env.blockManager().blockTransferService();
  }

  JsonNode perform(String op, JsonNode command) throws Exception {
    switch (op) {
      case "driver.addFile":
        return text(env.rpcEnv().fileServer().addFile(new File(command.get("path").asText())));
      case "driver.putBlock":
        return text(String.valueOf(put(BlockId.apply(command.get("block").asText()), Notation.pattern(command.get("length").asInt(), 7))));
      case "driver.describeBlock":
        return described(env.blockManager().getLocalBlockData(BlockId.apply(command.get("block").asText())));
      case "driver.fetch":
        return fetch(command);
      case "driver.upload":
        upload(command);
        return Session.JSON.nullNode();
      default:
        throw new IllegalArgumentException("No such command: " + op);
    }
  }

  private boolean put(BlockId id, byte[] bytes) {
    ChunkedByteBuffer buffer = new ChunkedByteBuffer(ByteBuffer.wrap(bytes));
    return env.blockManager().putBytes(id, buffer, StorageLevel.MEMORY_AND_DISK_SER(), true, ClassTag$.MODULE$.Any());
  }

  private void upload(JsonNode command) throws Exception {
    ManagedBuffer data = new NioManagedBuffer(ByteBuffer.wrap(Notation.pattern(command.get("length").asInt(), 7)));
    transfer().uploadBlockSync(
        command.get("host").asText(), command.get("port").asInt(), "1", BlockId.apply(command.get("block").asText()), data,
        StorageLevel.MEMORY_AND_DISK_SER(), ClassTag$.MODULE$.Any());
  }

  /** What each block is that a peer has, or why there is none. */
  private JsonNode fetch(JsonNode command) throws InterruptedException {
    List<String> ids = new ArrayList<>();
    command.get("blocks").forEach(id -> ids.add(id.asText()));
    Map<String, JsonNode> found = new TreeMap<>();
    CountDownLatch left = new CountDownLatch(ids.size());
    BlockFetchingListener listener = new BlockFetchingListener() {
      @Override
      public void onBlockFetchSuccess(String id, ManagedBuffer data) {
        take(id, described(data));
      }

      @Override
      public void onBlockFetchFailure(String id, Throwable failure) {
        take(id, Notation.failure(failure));
      }

      private void take(String id, JsonNode what) {
        synchronized (found) {
          found.put(id, what);
        }
        left.countDown();
      }
    };
    transfer().fetchBlocks(command.get("host").asText(), command.get("port").asInt(), "1", ids.toArray(String[]::new), listener, null);
    if (!left.await(FETCH_SECONDS, TimeUnit.SECONDS)) throw new IllegalStateException("Not all blocks came: " + found);
    ArrayNode all = Session.JSON.createArrayNode();
    for (String id : ids) all.add(found.get(id));
    return all;
  }

  private static ObjectNode described(ManagedBuffer data) {
    try {
      byte[] bytes = new byte[(int) data.size()];
      data.nioByteBuffer().get(bytes);
      return Session.JSON.createObjectNode().put("length", bytes.length).put("sha256", Notation.sha256(bytes));
    } catch (java.io.IOException unreadable) {
      return Notation.failure(unreadable);
    }
  }

  private static JsonNode text(String text) {
    return Session.JSON.getNodeFactory().textNode(text);
  }
}
