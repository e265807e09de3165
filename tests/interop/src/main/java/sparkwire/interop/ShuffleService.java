package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.util.zip.Checksum;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.ExternalShuffleService;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.shuffle.ExecutorDiskUtils;
import org.apache.spark.network.shuffle.ExternalBlockHandler;
import org.apache.spark.network.shuffle.RemoteBlockPushResolver;
import org.apache.spark.network.shuffle.checksum.ShuffleChecksumHelper;
import org.apache.spark.network.shuffle.protocol.ExecutorShuffleInfo;
import org.apache.spark.network.util.TransportConf;
import scala.Option;

/** An external shuffle service of Spark, which merges blocks that are pushed too, and the files of an executor that has gone. */
final class ShuffleService {
  static final int SUB_FOLDERS = 64;
  private static final long STOP_MILLIS = 10_000;
  private static final String SHUFFLE_MANAGER = "org.apache.spark.shuffle.sort.SortShuffleManager";

  private final ExternalShuffleService service;
  private final int port;

  ShuffleService(JsonNode command) throws Exception {
    SparkConf conf = new SparkConf(false).set("spark.shuffle.service.port", "0").set("spark.shuffle.service.db.enabled", "false");
    command.path("conf").fields().forEachRemaining(entry -> conf.set(entry.getKey(), entry.getValue().asText()));
    SecurityManager security =
        new SecurityManager(conf, Option.empty(), org.apache.spark.internal.config.package$.MODULE$.AUTH_SECRET_FILE());
    boolean merges = command.path("merges").asBoolean();
    service = new ExternalShuffleService(conf, security) {
      /** As YARN has it: a service that stands alone merges nothing. */
      @Override
      public ExternalBlockHandler newShuffleBlockHandler(TransportConf transportConf) {
        if (!merges) return super.newShuffleBlockHandler(transportConf);
        try {
          return new ExternalBlockHandler(transportConf, null, new RemoteBlockPushResolver(transportConf, null));
        } catch (IOException failure) {
          throw new java.io.UncheckedIOException(failure);
        }
      }
    };
    // As it would after a restart, of what it has written down.
    for (JsonNode known : command.path("knows")) {
      ExecutorShuffleInfo info = new ExecutorShuffleInfo(new String[] {known.get("folder").asText()}, SUB_FOLDERS, SHUFFLE_MANAGER);
      service.getBlockHandler().getBlockResolver().registerExecutor(known.get("appId").asText(), known.get("execId").asText(), info);
    }
    service.start();
    port = portOf(service);
  }

  JsonNode describe() {
    return Session.JSON.createObjectNode().put("port", port);
  }

  void stop() {
    service.stop();
  }

  /** Until its connections are closed, which its threads do on their way out: by then a block may have been sent in full. */
  void awaitStop() throws InterruptedException {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("shuffle-server")) thread.join(STOP_MILLIS);
    }
  }

  /** An executor's files: of each map the parts for the reducers, and a block of an RDD; tells the checksums of the parts. */
  static JsonNode write(JsonNode command) throws IOException {
    String[] folders = {command.get("folder").asText()};
    String algorithm = command.path("algorithm").asText("CRC32");
    ArrayNode sums = Session.JSON.createArrayNode();
    int map = 0;
    for (JsonNode parts : command.get("maps")) write(folders, map++, parts, algorithm, sums.addArray());
    if (command.has("rdd")) {
      byte[] bytes = Notation.pattern(command.get("rddLength").asInt(), 7);
      Files.write(file(folders, command.get("rdd").asText()).toPath(), bytes);
    }
    return sums;
  }

  /** The data file of a map, the index that says where each part of it begins, and the checksum of each. */
  private static void write(String[] folders, int map, JsonNode parts, String algorithm, ArrayNode sums) throws IOException {
    String name = "shuffle_0_" + map + "_0.";
    try (DataOutputStream offsets = open(folders, name + "index");
        DataOutputStream data = open(folders, name + "data");
        DataOutputStream checksums = open(folders, name + "checksum." + algorithm)) {
      offsets.writeLong(0);
      for (JsonNode length : parts) {
        byte[] bytes = Notation.pattern(length.intValue(), map);
        data.write(bytes);
        offsets.writeLong(data.size());
        Checksum sum = ShuffleChecksumHelper.getChecksumByAlgorithm(algorithm);
        sum.update(bytes, 0, bytes.length);
        checksums.writeLong(sum.getValue());
        sums.add(sum.getValue());
      }
    }
  }

  private static DataOutputStream open(String[] folders, String name) throws IOException {
    return new DataOutputStream(new BufferedOutputStream(new FileOutputStream(file(folders, name))));
  }

  private static File file(String[] folders, String name) {
    File file = new File(ExecutorDiskUtils.getFilePath(folders, SUB_FOLDERS, name));
    file.getParentFile().mkdirs();
    return file;
  }

  /** It does not say which port the system chose. */
  private static int portOf(ExternalShuffleService service) throws ReflectiveOperationException {
    for (Field field : ExternalShuffleService.class.getDeclaredFields()) {
      if (field.getType() != TransportServer.class) continue;
      field.setAccessible(true);
      return ((TransportServer) field.get(service)).getPort();
    }
    throw new NoSuchFieldException("TransportServer");
  }
}
