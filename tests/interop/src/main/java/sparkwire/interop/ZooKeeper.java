package sparkwire.interop;

import java.io.File;
import java.net.InetSocketAddress;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

/**
 * A ZooKeeper, by which several Masters agree which of them is alive. It says on standard output where it listens, and ends with its
 * standard input. Its argument is the folder of its files.
 */
public final class ZooKeeper {
  /** Sessions end after at most twenty ticks without a word, whatever a Master asks for: so long does it take until another rules. */
  private static final int TICK_MS = 100;
  private static final int MAX_CONNECTIONS = 20;

  private ZooKeeper() {}

  public static void main(String[] args) throws Exception {
    File folder = new File(args[0]);
    ZooKeeperServer server = new ZooKeeperServer(folder, folder, TICK_MS);
    NIOServerCnxnFactory connections = new NIOServerCnxnFactory();
    connections.configure(new InetSocketAddress("127.0.0.1", 0), MAX_CONNECTIONS);
    connections.startup(server);
    System.out.println("zookeeper 127.0.0.1:" + connections.getLocalPort());
    while (System.in.read() >= 0) {
      // Nothing is said here; the end is what counts.
    }
    Runtime.getRuntime().halt(0);
  }
}
