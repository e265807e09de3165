package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Date;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.rpc.RpcAddress;
import org.apache.spark.rpc.RpcEndpointRef;
import scala.Enumeration;
import scala.Option;
import scala.Product;
import scala.Tuple2;
import scala.collection.immutable.Vector;
import scala.concurrent.duration.FiniteDuration;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/** Says in {@link Notation} what a value is. */
final class Describer {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** What can be shared, by its place among those that were met. */
  private final IdentityHashMap<Object, Integer> met = new IdentityHashMap<>();

  JsonNode describe(Object value) {
    if (value == null) return NODES.nullNode();
    if (value instanceof String text) return string(text);
    ArrayNode plain = plain(value);
    if (plain != null) return plain;
    Integer place = met.putIfAbsent(value, met.size());
    if (place != null) return NODES.arrayNode().add("#").add(place);
    return composed(value);
  }

  private static JsonNode string(String text) {
    if (text.length() <= Notation.MAX_SHOWN) return NODES.textNode(text);
    return tagged("String").add(text.length()).add(Notation.sha256(utf16(text)));
  }

  /** All units, also those that are half a pair, which no charset of Java writes. */
  private static byte[] utf16(String text) {
    byte[] bytes = new byte[2 * text.length()];
    for (int i = 0; i < text.length(); i++) {
      bytes[2 * i] = (byte) (text.charAt(i) >> 8);
      bytes[2 * i + 1] = (byte) text.charAt(i);
    }
    return bytes;
  }

  /** What has no parts, or whose identity says nothing; null for all else. */
  private ArrayNode plain(Object value) {
    String name = value.getClass().getSimpleName();
    if (value instanceof Double number) return tagged(name).add(Long.toHexString(Double.doubleToRawLongBits(number)));
    if (value instanceof Float number) return tagged(name).add(Integer.toHexString(Float.floatToRawIntBits(number)));
    if (value instanceof BigDecimal number) return tagged(name).add(number.unscaledValue().toString()).add(number.scale());
    if (value instanceof Number && (value.getClass().getName().startsWith("java.lang.") || value instanceof BigInteger)) {
      return tagged(name).add(value.toString());
    }
    if (value instanceof scala.math.BigInt number) return tagged(name).add(number.toString());
    if (value instanceof Boolean) return tagged(name).add(value.toString());
    if (value instanceof Character unit) return tagged(name).add((int) unit);
    if (value instanceof BoxedUnit) return tagged("Unit");
    if (value instanceof byte[] bytes) return bytes(bytes);
    if (value instanceof Date date) return tagged(name).add(String.valueOf(date.getTime()));
    if (value instanceof URI uri) return tagged(name).add(uri.toString());
    if (value instanceof Enum<?> constant) return tagged("enum").add(constant.getDeclaringClass().getName()).add(constant.name());
    if (value instanceof Enumeration.Value constant) return tagged("Enumeration").add(constant.id()).add(constant.toString());
    if (value instanceof FiniteDuration span) return tagged("FiniteDuration").add(String.valueOf(span.length())).add(span.unit().name());
    if (value instanceof RpcAddress address) return tagged("RpcAddress").add(address.host()).add(address.port());
    if (value instanceof RpcEndpointRef ref) return ref(ref);
    if (isObject(value)) return tagged("object").add(value.getClass().getName());
    return null;
  }

  private static ArrayNode bytes(byte[] bytes) {
    if (bytes.length <= Notation.MAX_SHOWN) return tagged("byte[]").add(Notation.hex(bytes));
    return tagged("byte[]").add(bytes.length).add(Notation.sha256(bytes));
  }

  private static ArrayNode ref(RpcEndpointRef ref) {
    RpcAddress address = ref.address();
    return tagged("ref").add(ref.name()).add(address == null ? null : address.hostPort());
  }

  /** Whether it is the one instance of its class in this JVM, as an object of Scala must be. */
  private static boolean isObject(Object value) {
    if (!value.getClass().getName().endsWith("$")) return false;
    try {
      return value.getClass().getField("MODULE$").get(null) == value;
    } catch (ReflectiveOperationException none) {
      return false;
    }
  }

  private ArrayNode composed(Object value) {
    if (value.getClass().isArray()) return array(value);
    if (value instanceof Collection<?> collection) {
      boolean ordered = collection instanceof List || collection instanceof java.util.LinkedHashSet;
      return tagged(shortName(value)).add(items(collection, ordered));
    }
    if (value instanceof Map<?, ?> map) return tagged(shortName(value)).add(entries(map, value instanceof java.util.LinkedHashMap));
    if (value instanceof Option<?> option) return tagged("Some").add(describe(option.get()));
    if (value instanceof scala.collection.Map<?, ?> map) return tagged("scala.Map").add(entries(CollectionConverters.asJava(map), false));
    if (value instanceof scala.collection.Set<?> set) return tagged("scala.Set").add(items(CollectionConverters.asJava(set), false));
    if (value instanceof scala.collection.Seq<?> seq) return tagged(seqName(seq)).add(items(CollectionConverters.asJava(seq), true));
    if (value instanceof Throwable failure) {
      ArrayNode described = tagged("Throwable").add(failure.getClass().getName()).add(failure.getMessage());
      return described.add(describe(failure.getCause()));
    }
    if (value instanceof Person person) return person(person);
    if (value instanceof Product product) return product(product);
    return tagged("?").add(value.getClass().getName());
  }

  private ArrayNode array(Object array) {
    List<Object> items = new ArrayList<>();
    for (int i = 0; i < Array.getLength(array); i++) items.add(Array.get(array, i));
    return tagged(array.getClass().getComponentType().getSimpleName() + "[]").add(items(items, true));
  }

  private ArrayNode person(Person person) {
    ArrayNode described = tagged("Person").add(describe(person.name)).add(person.age).add(String.valueOf(person.id));
    described.add(Long.toHexString(Double.doubleToRawLongBits(person.height))).add(person.member);
    return described.add(describe(person.email)).add(describe(person.tags)).add(describe(person.friend));
  }

  /** A case class or a tuple. */
  private ArrayNode product(Product product) {
    // Scala has classes of its own for tuples of numbers.
    String name = product instanceof Tuple2 ? "scala.Tuple2" : product.getClass().getName();
    ArrayNode fields = NODES.arrayNode();
    for (int i = 0; i < product.productArity(); i++) fields.add(describe(product.productElement(i)));
    return tagged(name).add(fields);
  }

  private ArrayNode items(Collection<?> items, boolean ordered) {
    List<JsonNode> described = new ArrayList<>();
    for (Object item : items) described.add(describe(item));
    return nodes(described, ordered);
  }

  private ArrayNode entries(Map<?, ?> map, boolean ordered) {
    List<JsonNode> described = new ArrayList<>();
    map.forEach((key, value) -> described.add(NODES.arrayNode().add(describe(key)).add(describe(value))));
    return nodes(described, ordered);
  }

  private static ArrayNode nodes(List<JsonNode> described, boolean ordered) {
    if (!ordered) described.sort(Comparator.comparing(Session::toAscii));
    ArrayNode nodes = NODES.arrayNode();
    described.forEach(nodes::add);
    return nodes;
  }

  private static String shortName(Object value) {
    String name = value.getClass().getName();
    return name.startsWith("java.util.") && !name.contains("$") ? value.getClass().getSimpleName() : name;
  }

  private static String seqName(scala.collection.Seq<?> seq) {
    if (seq instanceof scala.collection.immutable.List) return "List";
    if (seq instanceof Vector) return "Vector";
    if (seq instanceof scala.collection.immutable.ArraySeq) return "ArraySeq";
    return seq.getClass().getName();
  }

  static ArrayNode tagged(String tag) {
    return NODES.arrayNode().add(tag);
  }
}
