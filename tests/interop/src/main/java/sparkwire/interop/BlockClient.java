package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.shuffle.BlockFetchingListener;
import org.apache.spark.network.shuffle.BlockPushingListener;
import org.apache.spark.network.shuffle.BlockStoreClient;
import org.apache.spark.network.shuffle.DownloadFileManager;
import org.apache.spark.network.shuffle.ExternalBlockStoreClient;
import org.apache.spark.network.shuffle.MergeFinalizerListener;
import org.apache.spark.network.shuffle.MergedBlockMeta;
import org.apache.spark.network.shuffle.MergedBlocksMetaListener;
import org.apache.spark.network.shuffle.protocol.ExecutorShuffleInfo;
import org.apache.spark.network.shuffle.protocol.MergeStatuses;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;
import org.roaringbitmap.RoaringBitmap;

/** A Spark's client of shuffle services and of other executors; each command says whom it asks. */
final class BlockClient {
  private static final long SECONDS = 60;

  private final ExternalBlockStoreClient client;

  BlockClient(JsonNode command) {
    Map<String, String> conf = new HashMap<>();
    command.path("conf").fields().forEachRemaining(entry -> conf.put(entry.getKey(), entry.getValue().asText()));
    client = new ExternalBlockStoreClient(new TransportConf("shuffle", new MapConfigProvider(conf)), null, false, SECONDS * 1_000);
    client.init(command.get("appId").asText());
  }

  void close() {
    client.close();
  }

  JsonNode perform(String op, JsonNode command) throws Exception {
    String host = command.get("host").asText();
    int port = command.get("port").asInt();
    String exec = command.path("execId").asText("1");
    int shuffle = command.path("shuffle").asInt();
    int merge = command.path("merge").asInt();
    int reduce = command.path("reduce").asInt();
    switch (op) {
      case "client.register": {
        String[] folders = strings(command.get("folders"));
        ExecutorShuffleInfo info = new ExecutorShuffleInfo(folders, ShuffleService.SUB_FOLDERS, command.get("shuffleManager").asText());
        client.registerWithShuffleServer(host, port, exec, info);
        return Session.JSON.nullNode();
      }
      case "client.fetch":
        return fetch(client, command, null);
      case "client.push":
        return push(host, port, command.get("blocks"));
      case "client.finalize": {
        CompletableFuture<MergeStatuses> found = new CompletableFuture<>();
        client.finalizeShuffleMerge(host, port, shuffle, merge, new MergeFinalizerListener() {
          @Override
          public void onShuffleMergeSuccess(MergeStatuses statuses) {
            found.complete(statuses);
          }

          @Override
          public void onShuffleMergeFailure(Throwable failure) {
            found.completeExceptionally(failure);
          }
        });
        return describe(await(found));
      }
      case "client.mergedMeta": {
        CompletableFuture<JsonNode> found = new CompletableFuture<>();
        client.getMergedBlockMeta(host, port, shuffle, merge, reduce, new MergedBlocksMetaListener() {
          @Override
          public void onSuccess(int shuffleId, int shuffleMergeId, int reduceId, MergedBlockMeta meta) {
            try {
              ArrayNode chunks = Session.JSON.createArrayNode();
              for (RoaringBitmap bitmap : meta.readChunkBitmaps()) chunks.add(numbers(bitmap.toArray()));
              found.complete(chunks);
            } catch (java.io.IOException unreadable) {
              found.completeExceptionally(unreadable);
            }
          }

          @Override
          public void onFailure(int shuffleId, int shuffleMergeId, int reduceId, Throwable failure) {
            found.completeExceptionally(failure);
          }
        });
        return await(found);
      }
      case "client.removeMerge":
        return Session.JSON.getNodeFactory().booleanNode(client.removeShuffleMerge(host, port, shuffle, merge));
      case "client.removeBlocks":
        return Session.JSON.getNodeFactory()
            .numberNode(client.removeBlocks(host, port, exec, strings(command.get("blocks"))).get(SECONDS, TimeUnit.SECONDS));
      case "client.localDirs": {
        CompletableFuture<Map<String, String[]>> found = new CompletableFuture<>();
        client.getHostLocalDirs(host, port, strings(command.get("execIds")), found);
        return Session.JSON.valueToTree(await(found));
      }
      case "client.diagnose":
        return Session.JSON.valueToTree(client.diagnoseCorruption(
            host, port, exec, shuffle, command.get("map").asLong(), reduce, command.get("checksum").asLong(), command.get("algorithm").asText()));
      default:
        throw new IllegalArgumentException("No such command: " + op);
    }
  }

  /** What a future has become; what it has failed of is thrown as it is. */
  private static <T> T await(CompletableFuture<T> future) throws Exception {
    try {
      return future.get(SECONDS, TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException failure) {
      throw failure.getCause() instanceof Exception cause ? cause : failure;
    }
  }

  private static JsonNode describe(MergeStatuses statuses) {
    ObjectNode described = Session.JSON.createObjectNode();
    for (int i = 0; i < statuses.reduceIds.length; i++) {
      ObjectNode part = described.putObject(String.valueOf(statuses.reduceIds[i]));
      part.put("size", statuses.sizes[i]).set("maps", numbers(statuses.bitmaps[i].toArray()));
    }
    return described;
  }

  private static ArrayNode numbers(int[] numbers) {
    ArrayNode array = Session.JSON.createArrayNode();
    for (int number : numbers) array.add(number);
    return array;
  }

  private static String[] strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(text -> strings.add(text.asText()));
    return strings.toArray(String[]::new);
  }

  /** Pushes blocks, each <code>[name, length, seed]</code>; what became of each. */
  private JsonNode push(String host, int port, JsonNode blocks) throws InterruptedException {
    List<String> ids = new ArrayList<>();
    List<ManagedBuffer> buffers = new ArrayList<>();
    for (JsonNode block : blocks) {
      ids.add(block.get(0).asText());
      buffers.add(new NioManagedBuffer(ByteBuffer.wrap(Notation.pattern(block.get(1).asInt(), block.get(2).asInt()))));
    }
    Outcomes outcomes = new Outcomes(ids);
    client.pushBlocks(host, port, ids.toArray(String[]::new), buffers.toArray(ManagedBuffer[]::new), new BlockPushingListener() {
      @Override
      public void onBlockPushSuccess(String id, ManagedBuffer data) {
        outcomes.take(id, Session.JSON.nullNode());
      }

      @Override
      public void onBlockPushFailure(String id, Throwable failure) {
        outcomes.take(id, Notation.failure(failure));
      }
    });
    return outcomes.await();
  }

  /** What each block is that a peer has, or why there is none. */
  static JsonNode fetch(BlockStoreClient client, JsonNode command, DownloadFileManager files) throws InterruptedException {
    String[] ids = strings(command.get("blocks"));
    Outcomes outcomes = new Outcomes(List.of(ids));
    BlockFetchingListener listener = new BlockFetchingListener() {
      @Override
      public void onBlockFetchSuccess(String id, ManagedBuffer data) {
        outcomes.take(id, described(data));
      }

      @Override
      public void onBlockFetchFailure(String id, Throwable failure) {
        outcomes.take(id, Notation.failure(failure));
      }
    };
    String exec = command.path("execId").asText("1");
    client.fetchBlocks(command.get("host").asText(), command.get("port").asInt(), exec, ids, listener, files);
    return outcomes.await();
  }

  static ObjectNode described(ManagedBuffer data) {
    try {
      byte[] bytes = new byte[(int) data.size()];
      data.nioByteBuffer().get(bytes);
      return Session.JSON.createObjectNode().put("length", bytes.length).put("sha256", Notation.sha256(bytes));
    } catch (java.io.IOException unreadable) {
      return Notation.failure(unreadable);
    }
  }

  /** What becomes of each of several blocks. */
  private static final class Outcomes {
    private final List<String> ids;
    private final Map<String, JsonNode> found = new TreeMap<>();
    private final CountDownLatch left;

    Outcomes(List<String> ids) {
      this.ids = ids;
      left = new CountDownLatch(ids.size());
    }

    synchronized void take(String id, JsonNode what) {
      found.put(id, what);
      left.countDown();
    }

    JsonNode await() throws InterruptedException {
      if (!left.await(SECONDS, TimeUnit.SECONDS)) throw new IllegalStateException("Not all blocks came: " + left.getCount() + " are missing");
      ArrayNode all = Session.JSON.createArrayNode();
      for (String id : ids) all.add(found.get(id));
      return all;
    }
  }
}
