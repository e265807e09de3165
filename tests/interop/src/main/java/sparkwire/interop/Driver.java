package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.HashPartitioner;
import org.apache.spark.MapOutputTrackerMaster;
import org.apache.spark.ShuffleDependency;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.network.BlockTransferService;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.scheduler.MapStatus;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManagerId;
import org.apache.spark.storage.BlockManagerId$;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.io.ChunkedByteBuffer;
import scala.Option;
import scala.Tuple2;
import scala.reflect.ClassTag$;

/** A driver of Spark: a SparkContext with its file server and its block manager. There is one in a JVM at a time. */
final class Driver {
  private final JavaSparkContext context;
  private final SparkEnv env;
  private JavaPairRDD<Integer, byte[]> shuffled;

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
        return BlockClient.described(env.blockManager().getLocalBlockData(BlockId.apply(command.get("block").asText())));
      case "driver.fetch":
        return BlockClient.fetch(transfer(), command, command.path("toFiles").asBoolean() ? env.blockManager().remoteBlockTempFileManager() : null);
      case "driver.upload":
        upload(command);
        return Session.JSON.nullNode();
      case "driver.shuffle":
        return shuffle(command);
      case "driver.moveShuffle": {
        BlockManagerId there =
            BlockManagerId$.MODULE$.apply(command.get("execId").asText(), command.get("host").asText(), command.get("port").asInt(), Option.empty());
        for (MapStatus status : outputs()) tracker().updateMapOutput(shuffleId(), status.mapId(), there);
        return Session.JSON.nullNode();
      }
      case "driver.reduce":
        return Session.JSON.valueToTree(shuffled.mapValues(bytes -> Notation.sha256(bytes)).collectAsMap());
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

  /** Shuffles <code>count</code> arrays of <code>length</code> bytes; tells the shuffle's number, and those of the map tasks. */
  private JsonNode shuffle(JsonNode command) {
    int length = command.get("length").asInt();
    List<Integer> numbers = IntStream.range(0, command.get("count").asInt()).boxed().toList();
    shuffled = context.parallelize(numbers, command.get("maps").asInt())
        .mapToPair(number -> new Tuple2<>(number, Notation.pattern(length, number)))
        .partitionBy(new HashPartitioner(command.get("reduces").asInt()));
    shuffled.count();
    ObjectNode made = Session.JSON.createObjectNode().put("shuffle", shuffleId());
    for (MapStatus status : outputs()) made.withArray("/maps").add(status.mapId());
    return made;
  }

  private int shuffleId() {
    return ((ShuffleDependency<?, ?, ?>) shuffled.rdd().dependencies().head()).shuffleId();
  }

  private MapStatus[] outputs() {
    return tracker().shuffleStatuses().apply(shuffleId()).mapStatuses();
  }

  private MapOutputTrackerMaster tracker() {
    return (MapOutputTrackerMaster) env.mapOutputTracker();
  }

  private static JsonNode text(String text) {
    return Session.JSON.getNodeFactory().textNode(text);
  }
}
