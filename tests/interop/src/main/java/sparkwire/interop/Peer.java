package sparkwire.interop;

import java.net.InetAddress;
import java.net.ServerSocket;
import org.apache.spark.package$;

/**
 * A JVM with a real Spark in it, for tests that talk with one.
 *
 * It listens on 127.0.0.1 for control connections and says on standard output where. Each connection is a session of one test: a
 * line of JSON each way, see {@link Session}. It ends when its standard input does, so it never outlives the one that started it.
 */
public final class Peer {
  private Peer() {}

  public static void main(String[] args) throws Exception {
    try (ServerSocket control = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
      Thread accepting = new Thread(() -> accept(control), "control");
      accepting.setDaemon(true);
      accepting.start();
      System.out.println("peer 127.0.0.1:" + control.getLocalPort() + " spark " + package$.MODULE$.SPARK_VERSION());
      while (System.in.read() >= 0) {
        // Nothing is said here; the end is what counts.
      }
    }
    // Threads of an environment that did not end are no reason to stay.
    Runtime.getRuntime().halt(0);
  }

  private static void accept(ServerSocket control) {
    try {
      while (true) new Session(control.accept()).start();
    } catch (java.io.IOException closed) {
      // The peer ends.
    }
  }
}
