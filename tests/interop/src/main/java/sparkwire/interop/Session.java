package sparkwire.interop;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What one test makes a Spark do: its environments live as long as its control connection.
 *
 * A command is <code>{"id": 1, "op": "ask", …}</code>, its answer <code>{"id": 1, "result": …}</code> or <code>{"id": 1, "failure":
 * {class, message, stack, cause}}</code>. What happens meanwhile comes as <code>{"event": "connected", …}</code>. Commands run at the
 * same time, each in a thread of its own.
 */
final class Session {
  static final ObjectMapper JSON = new ObjectMapper();

  private final Socket socket;
  private final PrintWriter out;
  private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
    Thread thread = new Thread(task, "command");
    thread.setDaemon(true);
    return thread;
  });
  private final Map<String, Environment> environments = new ConcurrentHashMap<>();
  private Driver driver;
  private ShuffleService shuffleService;
  private BlockClient client;

  Session(Socket socket) throws IOException {
    this.socket = socket;
    this.out = new PrintWriter(socket.getOutputStream(), false, StandardCharsets.US_ASCII);
  }

  void start() {
    threads.execute(() -> {
      try (socket; BufferedReader lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          JsonNode command = JSON.readTree(line);
          threads.execute(() -> run(command));
        }
      } catch (IOException broken) {
        // The test has ended without a word.
      } finally {
        end();
        threads.shutdown();
      }
    });
  }

  /** Ends what the test has made; a test that ends well asks for it, and waits. */
  private synchronized void end() {
    for (Environment environment : environments.values()) environment.shutdown();
    environments.clear();
    if (driver != null) driver.stop();
    driver = null;
    if (shuffleService != null) shuffleService.stop();
    shuffleService = null;
    if (client != null) client.close();
    client = null;
  }

  private void run(JsonNode command) {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("id", command.get("id"));
    try {
      answer.set("result", perform(command));
    } catch (Throwable failure) {
      answer.set("failure", Notation.failure(failure));
    }
    write(answer);
  }

  /** Tells the test what happened. */
  void event(String name, ObjectNode event) {
    event.put("event", name);
    write(event);
  }

  private void write(ObjectNode line) {
    String text = toAscii(line);
    synchronized (out) {
      out.write(text);
      out.write('\n');
      out.flush();
    }
  }

  /** JSON in which all but ASCII is escaped, so that half a surrogate pair survives. */
  static String toAscii(JsonNode node) {
    try {
      return JSON.writer().with(JsonGenerator.Feature.ESCAPE_NON_ASCII).writeValueAsString(node);
    } catch (IOException never) {
      throw new IllegalStateException(never);
    }
  }

  private JsonNode perform(JsonNode command) throws Exception {
    String op = command.get("op").asText();
    switch (op) {
      case "createEnv": {
        Environment made = new Environment(this, command);
        environments.put(command.get("env").asText(), made);
        return made.describe();
      }
      case "startDriver":
        synchronized (this) {
          driver = new Driver(command);
          return driver.describe();
        }
      case "startShuffleService":
        synchronized (this) {
          shuffleService = new ShuffleService(command);
          return shuffleService.describe();
        }
      case "writeShuffle":
        return ShuffleService.write(command);
      case "stopShuffleService":
        synchronized (this) {
          shuffleService.stop();
          shuffleService.awaitStop();
          return JSON.nullNode();
        }
      case "createClient":
        synchronized (this) {
          client = new BlockClient(command);
          return JSON.nullNode();
        }
      case "end":
        end();
        return JSON.nullNode();
      case "collect":
        System.gc();
        return JSON.nullNode();
      default: {
        if (op.startsWith("driver.")) return driver.perform(op, command);
        if (op.startsWith("client.")) return client.perform(op, command);
        Environment environment = environments.get(command.path("env").asText());
        if (environment == null) throw new IllegalArgumentException("No such environment: " + command);
        return environment.perform(op, command);
      }
    }
  }
}
