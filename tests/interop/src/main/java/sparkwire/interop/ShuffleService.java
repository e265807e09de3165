package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.DataOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.ExternalShuffleService;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.shuffle.ExecutorDiskUtils;
import org.apache.spark.network.shuffle.ExternalBlockStoreClient;
import org.apache.spark.network.shuffle.protocol.ExecutorShuffleInfo;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;
import scala.Option;

/** An external shuffle service of Spark, with the files of an executor that has gone. */
final class ShuffleService {
  private static final int SUB_FOLDERS = 64;
  private static final long REGISTRATION_TIMEOUT_MS = 5_000;

  private final ExternalShuffleService service;
  private final int port;

  /** The service, and an executor's files in <code>folder</code>: of each map the parts for the reducers. */
  ShuffleService(JsonNode command) throws Exception {
    SparkConf conf = new SparkConf(false).set("spark.shuffle.service.port", "0").set("spark.shuffle.service.db.enabled", "false");
    SecurityManager security =
        new SecurityManager(conf, Option.empty(), org.apache.spark.internal.config.package$.MODULE$.AUTH_SECRET_FILE());
    service = new ExternalShuffleService(conf, security);
    service.start();
    port = portOf(service);
    String[] folders = {command.get("folder").asText()};
    int map = 0;
    for (JsonNode parts : command.get("maps")) write(folders, map++, parts);
    if (command.has("rdd")) writeBytes(folders, command.get("rdd").asText(), Notation.pattern(command.get("rddLength").asInt(), 7));
    register(command.get("appId").asText(), new ExecutorShuffleInfo(folders, SUB_FOLDERS, "org.apache.spark.shuffle.sort.SortShuffleManager"));
  }

  JsonNode describe() {
    return Session.JSON.createObjectNode().put("port", port);
  }

  void stop() {
    service.stop();
  }

  private void register(String appId, ExecutorShuffleInfo info) throws Exception {
    Map<String, String> none = new HashMap<>();
    TransportConf conf = new TransportConf("shuffle", new MapConfigProvider(none));
    try (ExternalBlockStoreClient client = new ExternalBlockStoreClient(conf, null, false, REGISTRATION_TIMEOUT_MS)) {
      client.init(appId);
      client.registerWithShuffleServer("127.0.0.1", port, "1", info);
    }
  }

  /** The data file of a map, and the index that says where each part of it begins. */
  private static void write(String[] folders, int map, JsonNode parts) throws IOException {
    File index = file(folders, "shuffle_0_" + map + "_0.index");
    File data = file(folders, "shuffle_0_" + map + "_0.data");
    try (DataOutputStream offsets = new DataOutputStream(new FileOutputStream(index)); FileOutputStream bytes = new FileOutputStream(data)) {
      long offset = 0;
      offsets.writeLong(offset);
      for (JsonNode length : parts) {
        bytes.write(Notation.pattern(length.intValue(), map));
        offset += length.intValue();
        offsets.writeLong(offset);
      }
    }
  }

  private static void writeBytes(String[] folders, String name, byte[] bytes) throws IOException {
    Files.write(file(folders, name).toPath(), bytes);
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
