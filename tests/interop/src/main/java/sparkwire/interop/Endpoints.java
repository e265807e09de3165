package sparkwire.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.rpc.RpcAddress;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;
import org.apache.spark.rpc.RpcEnv;
import org.apache.spark.rpc.ThreadSafeRpcEndpoint;
import org.apache.spark.serializer.JavaSerializer;
import scala.Function1;
import scala.PartialFunction;
import scala.concurrent.ExecutionContext;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractPartialFunction;
import scala.runtime.BoxedUnit;

/** The endpoints that each environment of a test has. */
final class Endpoints {
  private final Environment environment;
  private final BlockingQueue<RpcCallContext> waiting = new LinkedBlockingQueue<>();

  Endpoints(Environment environment) {
    this.environment = environment;
    // Answers what it is asked, and tells the test of what it is sent.
    setup("Echo", new Endpoint() {
      @Override
      void answer(Object message, RpcCallContext context) {
        context.reply(message);
      }

      @Override
      void take(Object message) {
        ObjectNode event = Session.JSON.createObjectNode();
        event.set("value", Notation.describe(message));
        environment.event("received", event);
      }
    });
    // Says what Spark sees in a message.
    setup("Describe", new Endpoint() {
      @Override
      void answer(Object message, RpcCallContext context) {
        context.reply(Session.toAscii(Notation.describe(message)));
      }
    });
    // Says what is in a content, which it is given as bytes.
    setup("Read", new Endpoint() {
      @Override
      void answer(Object message, RpcCallContext context) {
        context.reply(Session.toAscii(Notation.describe(read((byte[]) message))));
      }
    });
    // Answers with what is in a content, which it is given as bytes.
    setup("Copy", new Endpoint() {
      @Override
      void answer(Object message, RpcCallContext context) {
        context.reply(read((byte[]) message));
      }
    });
    // Makes what a text describes.
    setup("Make", new Endpoint() {
      @Override
      void answer(Object message, RpcCallContext context) throws Exception {
        context.reply(Notation.build(Session.JSON.readTree((String) message), rpcEnv()));
      }
    });
    // Gives the specimen of a name, and says of a list of a name and a value whether that is the specimen.
    setup("Specimens", new Endpoint() {
      @Override
      void answer(Object message, RpcCallContext context) {
        if (message instanceof List<?> pair) context.reply(Specimens.isSame((String) pair.get(0), pair.get(1)));
        else if (message.equals("names")) context.reply(new java.util.ArrayList<>(Specimens.ALL.keySet()));
        else context.reply(message.equals("proxy") ? Specimens.proxy() : Specimens.ALL.get(message));
      }
    });
    setup("Failing", new Failing());
    // Answers when the test says so, from another thread.
    setup("Later", new Endpoint() {
      @Override
      void answer(Object message, RpcCallContext context) {
        waiting.add(context);
        environment.event("waiting", Session.JSON.createObjectNode());
      }
    });
    setup("Keeper", new Keeper());
    setup("Watcher", new Watcher());
  }

  private void setup(String name, Endpoint endpoint) {
    environment.rpcEnv.setupEndpoint(name, endpoint);
  }

  private static Object read(byte[] content) {
    return new JavaSerializer(new SparkConf(false)).newInstance().deserialize(ByteBuffer.wrap(content), ClassTag$.MODULE$.Any());
  }

  /** Answers the oldest ask of the endpoint Later. */
  void release(Object answer) throws InterruptedException {
    waiting.take().reply(answer);
  }

  /** An endpoint as Java sees it. */
  private abstract class Endpoint implements ThreadSafeRpcEndpoint {
    @Override
    public RpcEnv rpcEnv() {
      return environment.rpcEnv;
    }

    void take(Object message) throws Exception {
      throw new UnsupportedOperationException("Takes no message that wants no answer");
    }

    void answer(Object message, RpcCallContext context) throws Exception {
      throw new UnsupportedOperationException("Takes no message that wants an answer");
    }

    @Override
    public PartialFunction<Object, BoxedUnit> receive() {
      return new Handler(this::take);
    }

    @Override
    public PartialFunction<Object, BoxedUnit> receiveAndReply(RpcCallContext context) {
      return new Handler(message -> answer(message, context));
    }
  }

  /** What a handler does with a message. */
  private interface Body {
    void handle(Object message) throws Exception;
  }

  /** A partial function that takes every message. */
  private static final class Handler extends AbstractPartialFunction<Object, BoxedUnit> {
    private final Body body;

    Handler(Body body) {
      this.body = body;
    }

    @Override
    public boolean isDefinedAt(Object message) {
      return true;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <A, B> B applyOrElse(A message, Function1<A, B> otherwise) {
      try {
        body.handle(message);
      } catch (Exception failure) {
        Handler.<RuntimeException>rethrow(failure);
      }
      return (B) BoxedUnit.UNIT;
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> void rethrow(Exception failure) throws E {
      throw (E) failure;
    }
  }

  /** Fails in each way there is. */
  private final class Failing extends Endpoint {
    @Override
    void answer(Object message, RpcCallContext context) throws Exception {
      switch ((String) message) {
        case "throw":
          throw new IllegalStateException("thrown \u00e9\ud83d\ude00", new java.io.IOException("the cause"));
        case "sendFailure":
          context.sendFailure(new SparkException("sent", new NumberFormatException("the cause of it")));
          return;
        case "own class":
          throw new OwnException("of a class of its own", 42);
        case "without text":
          throw new NullPointerException();
        case "reply that cannot be written":
          context.reply(new Object());
          return;
        default:
          throw new IllegalArgumentException("No such failure: " + message);
      }
    }

    /** An asker may send what wants no answer, too; its failure comes here. */
    @Override
    public void onError(Throwable failure) {
      environment.event("onError", Session.JSON.createObjectNode().put("message", failure.getMessage()));
    }
  }

  /** Keeps references and asks through them. */
  private final class Keeper extends Endpoint {
    /** A reference is kept; of a list of a reference and a value, the reference is asked with the value. */
    @Override
    void answer(Object message, RpcCallContext context) {
      if (message instanceof List<?> pair) {
        RpcEndpointRef ref = (RpcEndpointRef) pair.get(0);
        ref.ask(pair.get(1), ClassTag$.MODULE$.Any()).onComplete(result -> {
          if (result.isSuccess()) context.reply(result.get());
          else context.sendFailure(result.failed().get());
          return BoxedUnit.UNIT;
        }, ExecutionContext.global());
        return;
      }
      take(message);
      context.reply("kept");
    }

    @Override
    void take(Object message) {
      ObjectNode event = Session.JSON.createObjectNode().put("ref", environment.keep((RpcEndpointRef) message));
      event.set("value", Notation.describe(message));
      environment.event("kept", event);
    }
  }

  /** Tells the test of connections. */
  private final class Watcher extends Endpoint {
    @Override
    public void onConnected(RpcAddress address) {
      tell("connected", address, null);
    }

    @Override
    public void onDisconnected(RpcAddress address) {
      tell("disconnected", address, null);
    }

    @Override
    public void onNetworkError(Throwable cause, RpcAddress address) {
      tell("networkError", address, Notation.failure(cause));
    }

    private void tell(String name, RpcAddress address, JsonNode cause) {
      ObjectNode event = Session.JSON.createObjectNode().put("address", address.hostPort());
      if (cause != null) event.set("cause", cause);
      environment.event(name, event);
    }
  }
}
