package sparkwire.interop;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectInputStream;
import java.io.ObjectOutput;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.Proxy;
import java.math.MathContext;
import java.math.RoundingMode;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import scala.Tuple1;
import scala.Tuple1$mcD$sp;
import scala.Tuple1$mcI$sp;
import scala.Tuple1$mcJ$sp;
import scala.Tuple2;
import scala.collection.immutable.ArraySeq$;
import scala.jdk.javaapi.CollectionConverters;

/** Objects whose streams take every turn that there is; most of their classes mean nothing to the other end. */
final class Specimens {
  /** How they are told from each other at the other end, in a fixed order. */
  static final Map<String, Object> ALL = make();

  private Specimens() {}

  /** Whether `value` is what `name` stands for. */
  static boolean isSame(String name, Object value) {
    return describe(ALL.get(name)).equals(describe(value));
  }

  /** Something whose `equals` says whether two are the same. */
  private static Object describe(Object value) {
    if (value instanceof Object[] array) return Arrays.asList(Arrays.stream(array).map(Specimens::describe).toArray());
    if (value instanceof int[] array) return Arrays.toString(array);
    if (value instanceof AtomicLong || value instanceof StringBuilder) return value.toString();
    if (value instanceof ArrayDeque<?> queue) return new ArrayList<>(queue);
    if (value instanceof IdentityHashMap<?, ?> map) return new TreeMap<>(map);
    if (value instanceof Throwable failure) return Arrays.asList(failure.toString(), failure.getStackTrace().length, failure.getSuppressed().length);
    if (value instanceof Task task) return task.run();
    return value;
  }

  private static Map<String, Object> make() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("Properties", new Properties());
    ((Properties) all.get("Properties")).setProperty("a", "b");
    all.put("TreeMap", new TreeMap<>(Map.of("a", 1, "b", 2)));
    all.put("TreeMap with a comparator", new TreeMap<>(String.CASE_INSENSITIVE_ORDER));
    all.put("TreeSet", new TreeSet<>(List.of("a", "b")));
    all.put("ArrayDeque", new ArrayDeque<>(List.of("a", "b")));
    all.put("CopyOnWriteArrayList", new CopyOnWriteArrayList<>(List.of("a", "b")));
    all.put("BitSet", BitSet.valueOf(new long[] {5, 1L << 63}));
    all.put("EnumMap", new EnumMap<>(Map.of(TimeUnit.DAYS, 1)));
    all.put("EnumSet", EnumSet.of(TimeUnit.DAYS, TimeUnit.HOURS));
    all.put("enum with a body", RoundingMode.HALF_EVEN);
    all.put("IdentityHashMap", new IdentityHashMap<>(Map.of("a", 1)));
    all.put("ConcurrentHashMap", new ConcurrentHashMap<>(Map.of("a", 1, "b", 2)));
    all.put("UUID", new UUID(1, -1));
    all.put("Locale", Locale.CANADA_FRENCH);
    all.put("MathContext", MathContext.DECIMAL128);
    all.put("InetSocketAddress", new InetSocketAddress("127.0.0.1", 1));
    all.put("URI", URI.create("spark://host:1/a%20b"));
    all.put("Instant", Instant.ofEpochSecond(1, 999_999_999));
    all.put("Duration", Duration.ofNanos(Long.MAX_VALUE));
    all.put("ZonedDateTime", ZonedDateTime.of(2024, 2, 29, 1, 2, 3, 4, ZoneId.of("Europe/Berlin")));
    all.put("dates that share a class", new ArrayList<>(List.of(LocalDate.EPOCH, LocalDate.MAX, LocalDate.EPOCH)));
    all.put("AtomicLong", new AtomicLong(7));
    all.put("StringBuilder", new StringBuilder("\ud800x"));
    all.put("int[][]", new int[][] {{1, 2}, {}, {3}});
    all.put("Object[][]", new Object[][] {{"a", null}, {1L}});
    all.put("singleton", Collections.singletonMap("a", Collections.singletonList(1)));
    all.put("empty", List.of(Collections.emptyList(), Collections.emptyMap(), Collections.emptySet()));
    all.put("unmodifiable", Collections.unmodifiableMap(new TreeMap<>(Map.of("a", Collections.unmodifiableList(List.of(1))))));
    all.put("unmodifiable views", List.of(Collections.unmodifiableSet(new HashSet<>(List.of("a"))),
        Collections.unmodifiableSortedSet(new TreeSet<>(List.of("a"))), Collections.unmodifiableNavigableMap(new TreeMap<>(Map.of("a", 1)))));
    all.put("synchronized", Collections.synchronizedList(new ArrayList<>(List.of("a"))));
    all.put("nCopies", Collections.nCopies(3, "a"));
    all.put("List.of", List.of(List.of(), List.of("a"), List.of("a", "b", "c")));
    all.put("Map.of", Map.of("a", 1, "b", Map.of()));
    all.put("a class", String.class);
    all.put("classes", new ArrayList<>(List.of(int.class, int[].class, String[].class, Person.class, TimeUnit.class)));
    all.put("record", new Point(1, 2.5, "p"));
    all.put("tuples of one", List.of(new Tuple1$mcD$sp(3.0), new Tuple1$mcI$sp(4), new Tuple1$mcJ$sp(5L), new Tuple1<>("a")));
    all.put("pairs of primitives", pairs(Map.of("C", 'c', "D", 3.0, "I", 4, "J", 5L, "Z", true)));
    Object[] arrays = {new byte[] {1, -1}, new short[] {1, -1}, new char[] {'c'}, new int[] {1, -1}, new long[] {1, -1},
        new float[] {1.5f}, new double[] {1.5, 2}, new boolean[] {true, false}, new String[] {"a"}};
    all.put("ArraySeqs", Arrays.stream(arrays).map(ArraySeq$.MODULE$::unsafeWrapArray).collect(Collectors.toCollection(ArrayList::new)));
    scala.collection.Seq<Tuple2<String, Object>> entries = CollectionConverters.asScala(List.of(new Tuple2<>("a", 1), new Tuple2<>("b", 2)));
    all.put("mutable.Map", scala.collection.mutable.HashMap$.MODULE$.from(entries));
    all.put("mutable.Set", scala.collection.mutable.HashSet$.MODULE$.from(entries));
    all.put("keySet", scala.collection.immutable.Map$.MODULE$.from(entries).keySet());
    all.put("lambda", (Task) () -> "ran");
    all.put("Externalizable", new Own("external", 5));
    all.put("Externalizable, twice", List.of(new Owner("external", 5), "after"));
    all.put("writeObject", new Odd("odd", 1L << 40, new int[] {1, 2, 3}));
    all.put("many blocks", new Odd("z".repeat(5_000), -1, new int[2_000]));
    all.put("Throwable", new IllegalStateException("with one suppressed", new Error("cause")));
    ((Throwable) all.get("Throwable")).addSuppressed(new RuntimeException("suppressed"));
    return all;
  }

  /** A pair of each class that Scala has for two primitives, which are given by the letters of their types. */
  private static List<Object> pairs(Map<String, Object> primitives) {
    List<Object> pairs = new ArrayList<>();
    new TreeMap<>(primitives).forEach((first, one) -> new TreeMap<>(primitives).forEach((second, other) -> {
      try {
        pairs.add(Class.forName("scala.Tuple2$mc" + first + second + "$sp").getConstructors()[0].newInstance(one, other));
      } catch (ReflectiveOperationException wrong) {
        throw new IllegalStateException(wrong);
      }
    }));
    return pairs;
  }

  /** What only a JVM may make: the other end refuses it. */
  static Object proxy() {
    return Proxy.newProxyInstance(Specimens.class.getClassLoader(), new Class<?>[] {Task.class}, new Invoked());
  }

  /** What a lambda and a proxy are. */
  interface Task extends Serializable {
    String run();
  }

  private static final class Invoked implements java.lang.reflect.InvocationHandler, Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Object invoke(Object proxy, java.lang.reflect.Method method, Object[] args) {
      return "invoked";
    }
  }

  private record Point(int x, double y, String name) implements Serializable {}

  /** Writes itself, and nothing is written for it. */
  public static class Own implements Externalizable {
    private static final long serialVersionUID = 1L;
    private String text;
    private int number;

    public Own() {}

    Own(String text, int number) {
      this.text = text;
      this.number = number;
    }

    @Override
    public void writeExternal(ObjectOutput out) throws IOException {
      out.writeInt(number);
      out.writeObject(text);
      out.writeUTF(text);
    }

    @Override
    public void readExternal(ObjectInput in) throws IOException, ClassNotFoundException {
      number = in.readInt();
      text = (String) in.readObject();
      if (!text.equals(in.readUTF())) throw new IOException("Not the same");
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Own own && own.number == number && own.text.equals(text);
    }

    @Override
    public int hashCode() {
      return number;
    }
  }

  /** The same, and its super class writes itself too, but only when it is told to. */
  public static final class Owner extends Own {
    private static final long serialVersionUID = 1L;

    public Owner() {}

    Owner(String text, int number) {
      super(text, number);
    }

    @Override
    public void writeExternal(ObjectOutput out) throws IOException {
      super.writeExternal(out);
      out.writeByte(1);
    }

    @Override
    public void readExternal(ObjectInput in) throws IOException, ClassNotFoundException {
      super.readExternal(in);
      if (in.readByte() != 1) throw new IOException("Not the same");
    }
  }

  private static class Base implements Serializable {
    private static final long serialVersionUID = 1L;
    protected long value;

    private void writeObject(ObjectOutputStream out) throws IOException {
      out.defaultWriteObject();
      out.writeByte(1);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
      in.defaultReadObject();
      if (in.readByte() != 1) throw new IOException("Not the same");
    }
  }

  /** Data of its own between its fields and after them, and a super class that has some too. */
  private static final class Odd extends Base {
    private static final long serialVersionUID = 1L;
    private final String text;
    private transient int[] numbers;

    Odd(String text, long value, int[] numbers) {
      this.text = text;
      this.value = value;
      this.numbers = numbers;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
      out.defaultWriteObject();
      out.writeInt(numbers.length);
      out.writeObject(text);
      for (int number : numbers) out.writeInt(number);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
      in.defaultReadObject();
      numbers = new int[in.readInt()];
      if (!text.equals(in.readObject())) throw new IOException("Not the same");
      for (int i = 0; i < numbers.length; i++) numbers[i] = in.readInt();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Odd odd && odd.value == value && odd.text.equals(text) && Arrays.equals(odd.numbers, numbers);
    }

    @Override
    public int hashCode() {
      return Objects.hash(text, value);
    }
  }
}
