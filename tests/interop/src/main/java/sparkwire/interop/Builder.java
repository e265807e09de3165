package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.spark.rpc.RpcAddress;
import org.apache.spark.rpc.RpcEndpointAddress;
import org.apache.spark.rpc.RpcEnv;
import org.apache.spark.rpc.netty.NettyRpcEnv;
import scala.Option;
import scala.Some;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.concurrent.duration.FiniteDuration;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/** Makes the value that {@link Notation} describes. */
final class Builder {
  private final RpcEnv rpcEnv;
  /** What can be shared, in the order in which it is described. */
  private final List<Object> met = new ArrayList<>();

  Builder(RpcEnv rpcEnv) {
    this.rpcEnv = rpcEnv;
  }

  Object build(JsonNode node) {
    if (node.isNull()) return null;
    if (node.isTextual()) return node.textValue();
    String tag = node.get(0).textValue();
    Object plain = plain(tag, node);
    return plain != null ? plain : composed(tag, node);
  }

  private Object plain(String tag, JsonNode node) {
    String text = node.path(1).asText();
    switch (tag) {
      case "#": return met.get(node.get(1).intValue());
      case "String": return "\u00e9\ud83d\ude00z".repeat(node.get(1).intValue() / 4);
      case "Integer": return Integer.valueOf(text);
      case "Long": return Long.valueOf(text);
      case "Short": return Short.valueOf(text);
      case "Byte": return Byte.valueOf(text);
      case "Double": return Double.longBitsToDouble(Long.parseUnsignedLong(text, 16));
      case "Float": return Float.intBitsToFloat(Integer.parseUnsignedInt(text, 16));
      case "Boolean": return Boolean.valueOf(text);
      case "Character": return (char) node.get(1).intValue();
      case "BigInteger": return new BigInteger(text);
      case "BigInt": return new scala.math.BigInt(new BigInteger(text));
      case "BigDecimal": return new BigDecimal(new BigInteger(text), node.get(2).intValue());
      case "Unit": return BoxedUnit.UNIT;
      case "byte[]": return node.size() == 2 ? HexFormat.of().parseHex(text) : Notation.pattern(node.get(1).intValue(), 7);
      case "Date": return new Date(Long.parseLong(text));
      case "URI": return URI.create(text);
      case "enum": return constant(text, node.get(2).textValue());
      case "FiniteDuration": return new FiniteDuration(Long.parseLong(text), TimeUnit.valueOf(node.get(2).textValue()));
      case "RpcAddress": return new RpcAddress(text, node.get(2).intValue());
      case "ref": return rpcEnvRef(text, node.get(2));
      case "object": return module(text);
      case "proxy": return Specimens.proxy();
      default: return null;
    }
  }

  /** A reference of this environment to an endpoint here. */
  private Object rpcEnvRef(String name, JsonNode address) {
    if (!address.isNull() && !address.textValue().equals(String.valueOf(rpcEnv.address() == null ? null : rpcEnv.address().hostPort()))) {
      throw new IllegalArgumentException("Only references to endpoints here can be made, not " + name + "@" + address);
    }
    return new org.apache.spark.rpc.netty.NettyRpcEndpointRef(
        ((NettyRpcEnv) rpcEnv).conf(), new RpcEndpointAddress(rpcEnv.address(), name), (NettyRpcEnv) rpcEnv);
  }

  private static Object module(String className) {
    try {
      return Class.forName(className).getField("MODULE$").get(null);
    } catch (ReflectiveOperationException wrong) {
      throw new IllegalArgumentException(wrong);
    }
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Object constant(String className, String name) {
    try {
      return Enum.valueOf((Class) Class.forName(className), name);
    } catch (ReflectiveOperationException wrong) {
      throw new IllegalArgumentException(wrong);
    }
  }

  private Object composed(String tag, JsonNode node) {
    switch (tag) {
      case "ArrayList": return fill(shared(new ArrayList<>()), node.get(1));
      case "LinkedList": return fill(shared(new LinkedList<>()), node.get(1));
      case "HashSet": return fill(shared(new HashSet<>()), node.get(1));
      case "LinkedHashSet": return fill(shared(new LinkedHashSet<>()), node.get(1));
      case "HashMap": return fill(shared(new HashMap<>()), node.get(1));
      case "LinkedHashMap": return fill(shared(new LinkedHashMap<>()), node.get(1));
      case "Object[]": case "String[]": case "Integer[]": return objectArray(tag, node.get(1));
      case "int[]": case "long[]": case "short[]": case "double[]": case "float[]": case "boolean[]": case "char[]":
        return shared(primitiveArray(tag, node.get(1)));
      default: return immutable(tag, node);
    }
  }

  private <T> T shared(T value) {
    met.add(value);
    return value;
  }

  private Object fill(Collection<Object> collection, JsonNode items) {
    items.forEach(item -> collection.add(build(item)));
    return collection;
  }

  private Object fill(Map<Object, Object> map, JsonNode entries) {
    entries.forEach(entry -> map.put(build(entry.get(0)), build(entry.get(1))));
    return map;
  }

  private Object[] objectArray(String tag, JsonNode items) {
    int length = items.size();
    Object[] array = shared(switch (tag) {
      case "String[]" -> new String[length];
      case "Integer[]" -> new Integer[length];
      default -> new Object[length];
    });
    for (int i = 0; i < length; i++) array[i] = build(items.get(i));
    return array;
  }

  private Object primitiveArray(String tag, JsonNode items) {
    Class<?> type = switch (tag) {
      case "int[]" -> int.class;
      case "long[]" -> long.class;
      case "short[]" -> short.class;
      case "double[]" -> double.class;
      case "float[]" -> float.class;
      case "boolean[]" -> boolean.class;
      default -> char.class;
    };
    Object array = java.lang.reflect.Array.newInstance(type, items.size());
    for (int i = 0; i < items.size(); i++) java.lang.reflect.Array.set(array, i, build(items.get(i)));
    return array;
  }

  /** What is made of its parts takes its place before them all the same, as where it is described. */
  private Object immutable(String tag, JsonNode node) {
    int place = met.size();
    met.add(null);
    Object made = switch (tag) {
      case "Some" -> new Some<>(build(node.get(1)));
      case "List" -> seq(node.get(1)).toList();
      case "Vector" -> seq(node.get(1)).toVector();
      case "ArraySeq" -> scala.collection.immutable.ArraySeq$.MODULE$.unsafeWrapArray(items(node.get(1)).toArray());
      case "CopyOnWriteArrayList" -> new CopyOnWriteArrayList<>(items(node.get(1)));
      case "java.util.Arrays$ArrayList" -> Arrays.asList(items(node.get(1)).toArray());
      case "java.util.Collections$UnmodifiableList" -> Collections.unmodifiableList(new LinkedList<>(items(node.get(1))));
      case "java.util.Collections$UnmodifiableRandomAccessList" -> Collections.unmodifiableList(items(node.get(1)));
      case "java.util.Collections$SynchronizedRandomAccessList" -> Collections.synchronizedList(items(node.get(1)));
      case "scala.Map" -> scala.collection.immutable.Map$.MODULE$.from(CollectionConverters.asScala(pairs(node.get(1))));
      case "scala.Set" -> seq(node.get(1)).toSet();
      case "Throwable" -> throwable(node);
      case "Person" -> person(node);
      default -> {
        if (!tag.startsWith("scala.Tuple")) throw new IllegalArgumentException("Nobody can make " + tag);
        yield tuple(tag, items(node.get(1)));
      }
    };
    met.set(place, made);
    return made;
  }

  private static Object tuple(String className, List<Object> items) {
    try {
      return Class.forName(className).getConstructors()[0].newInstance(items.toArray());
    } catch (ReflectiveOperationException wrong) {
      throw new IllegalArgumentException(wrong);
    }
  }

  private List<Object> items(JsonNode nodes) {
    List<Object> items = new ArrayList<>();
    nodes.forEach(node -> items.add(build(node)));
    return items;
  }

  private Seq<Object> seq(JsonNode nodes) {
    return CollectionConverters.asScala(items(nodes)).toSeq();
  }

  private List<Tuple2<Object, Object>> pairs(JsonNode entries) {
    List<Tuple2<Object, Object>> pairs = new ArrayList<>();
    entries.forEach(entry -> pairs.add(new Tuple2<>(build(entry.get(0)), build(entry.get(1)))));
    return pairs;
  }

  private Throwable throwable(JsonNode node) {
    try {
      Class<?> type = Class.forName(node.get(1).textValue());
      Throwable made = (Throwable) type.getConstructor(String.class).newInstance(node.get(2).textValue());
      Throwable cause = (Throwable) build(node.get(3));
      return cause == null ? made : made.initCause(cause);
    } catch (ReflectiveOperationException wrong) {
      throw new IllegalArgumentException(wrong);
    }
  }

  @SuppressWarnings("unchecked")
  private Person person(JsonNode node) {
    double height = Double.longBitsToDouble(Long.parseUnsignedLong(node.get(4).textValue(), 16));
    return new Person(
        (String) build(node.get(1)), node.get(2).intValue(), Long.parseLong(node.get(3).textValue()), height,
        node.get(5).booleanValue(), (Option<String>) build(node.get(6)), (Seq<String>) build(node.get(7)),
        (Person) build(node.get(8)));
  }
}
