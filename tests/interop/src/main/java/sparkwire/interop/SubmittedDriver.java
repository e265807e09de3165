package sparkwire.interop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;

/**
 * The main class of a driver's jar, which a Worker runs: it says in a file how it was started, and then does what it is told.
 *
 * Its arguments: the file, what to do (<code>finish</code>, <code>fail</code>, <code>wait</code>), and whatever else.
 */
public final class SubmittedDriver {
  private SubmittedDriver() {}

  public static void main(String[] args) throws Exception {
    List<String> report = List.of(
        "args=" + String.join("|", Arrays.asList(args).subList(2, args.length)),
        "property=" + System.getProperty("spark.sparkwire.test"),
        "option=" + System.getProperty("sparkwire.option"),
        "environment=" + System.getenv("SPARKWIRE_TEST"),
        "jar=" + SubmittedDriver.class.getProtectionDomain().getCodeSource().getLocation().getPath(),
        "classPath=" + System.getProperty("java.class.path").contains("/nowhere/extra.jar"),
        "heap=" + Runtime.getRuntime().maxMemory() / (1 << 20),
        "pid=" + ProcessHandle.current().pid());
    write(Path.of(args[0]), report);
    if (args[1].equals("fail")) throw new IllegalStateException("told to fail");
    // Until it is killed.
    while (args[1].equals("wait")) Thread.sleep(Long.MAX_VALUE);
  }

  /** Whoever finds the file finds all of it. */
  private static void write(Path path, List<String> lines) throws IOException {
    Path part = path.resolveSibling(path.getFileName() + ".part");
    Files.write(part, lines, StandardCharsets.UTF_8);
    Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
  }
}
