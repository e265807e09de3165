/**
 * The types that carry a contract: which tags it has, what belongs to each, what their handlers look like.
 *
 * Spark has nothing like it: there a message is Any, and one that nobody takes is an error at run time. Nothing here exists at
 * run time, and nothing recurs into the user's types: a contract costs its compiler what its methods are.
 *
 * A contract is an interface. The methods of its member `receive` are the messages that want no answer, those of
 * `receiveAndReply` the ones that do; a method takes one payload or none. Where a type is a sentence below, it is the error: no
 * value fits it, and the compiler prints it.
 *
 * @module
 */

import type { Later, RpcCallContext } from "../rpc/rpc_call_context.ts";
import type { RpcEndpoint } from "../rpc/rpc_endpoint.ts";
import type { RpcAddress } from "../rpc/rpc_address.ts";

/** What every contract looks like; it has at least one of the two. */
export interface Contract {
  /** Messages that want no answer. */
  readonly receive?: object;
  /** Messages that want an answer. */
  readonly receiveAndReply?: object;
}

/** The methods of contract `C` that want no answer: what `send` takes. */
export type Sends<C> = C extends { readonly receive: infer M extends object } ? M : Record<never, never>;

/** The methods of contract `C` that want an answer: what `ask` takes. */
export type Asks<C> = C extends { readonly receiveAndReply: infer M extends object } ? M : Record<never, never>;

/**
 * `P`, unless a typed reference lies in it, which could not be encoded: as the value itself, in one of its fields, or in an array
 * in one of its fields. That is as deep as this looks.
 *
 * In generic code the compiler leaves it open: whether a `V` travels is not known before `V` is, and nothing but what is said to be
 * `Travels<{ value: V }>` fits that. So there one says it, `ref.ask("Put", { value } as Travels<{ value: V }>)`, in handlers of
 * what they answer too. What was asked for and what handlers are given is a `{ value: V }` without a word.
 */
export type Travels<P> = Extract<
  P extends object ? P | P[keyof P] | Extract<P[keyof P], readonly unknown[]>[number] : never,
  // What a typed reference has, and nothing else that could be in a message.
  { readonly ref: unknown; ask(...args: never): unknown; send(...args: never): unknown }
> extends infer R
  // The second question lets `any` pass, of which nothing is known.
  ? [R] extends [never] ? P
  : unknown extends R ? P
  : "A Ref does not travel in messages: declare RpcEndpointRef<C> and send .ref"
  : never;

/** What the method `F` of a contract takes; undefined if it takes nothing. */
export type Payload<F> = F extends (...args: infer A) => unknown
  ? A extends [] ? undefined : A extends [unknown?] ? Travels<A[0]> : "A method of a contract takes one payload or none"
  : "A contract's receive and receiveAndReply consist of methods";

/** What the method `F` of a contract answers. */
export type Reply<F> = F extends (...args: never) => infer R ? Travels<R>
  : "A contract's receive and receiveAndReply consist of methods";

/** What follows the tag in a call of `ask` or `send`: the payload, if the method `F` takes one, and the options `O`. */
export type Args<F, O extends readonly unknown[] = []> = F extends () => unknown ? [payload?: Payload<F>, ...O]
  : [payload: Payload<F>, ...O];

/** An ask in the hands of its handler, which answers with an `R`. */
export interface ReplyContext<R> extends RpcCallContext {
  /** Answers; see {@linkcode RpcCallContext.reply}. */
  reply(response: R): void;
}

/** Handles a message that wants no answer. What it returns is awaited; only `unhandled` means something. */
export type ReceiveHandler<F> = (payload: Payload<F>, senderAddress: RpcAddress) => unknown;

/**
 * Handles a message that wants an answer: returns it, now or by a promise, or `context.later`. What a contract says to be a promise
 * may be answered now, too; in generic code it is open what awaiting makes of an answer, hence both.
 *
 * The compiler takes what an async function returns for a `string`, also where the contract says `"idle" | "busy"`, and likewise for
 * `true` and `1`: there the function says its type, `async State(): Promise<"idle" | "busy"> { … }`.
 */
export type ReplyHandler<F> = (
  payload: Payload<F>,
  context: ReplyContext<Reply<F> | Awaited<Reply<F>>>,
) => Reply<F> | Awaited<Reply<F>> | Later | Promise<Awaited<Reply<F>> | Reply<F> | Later>;

/** The life of a typed endpoint and its network, as in {@linkcode RpcEndpoint}. */
export interface EndpointCallbacks
  extends Pick<RpcEndpoint, "onStart" | "onStop" | "onError" | "onConnected" | "onDisconnected" | "onNetworkError"> {}

/** The handlers of the messages of contract `C` that want no answer: all of them, and no tag of the other kind. */
export type ReceiveHandlers<C> =
  & { readonly [T in keyof Sends<C>]: ReceiveHandler<Sends<C>[T]> }
  & { readonly [T in Exclude<keyof Asks<C>, keyof Sends<C>>]?: never };

/** The handlers of the messages of contract `C` that want an answer: all of them, and no tag of the other kind. */
export type ReplyHandlers<C> =
  & { readonly [T in keyof Asks<C>]: ReplyHandler<Asks<C>[T]> }
  & { readonly [T in Exclude<keyof Sends<C>, keyof Asks<C>>]?: never };

/**
 * What an endpoint of contract `C` is made of: a handler for each of its messages, and callbacks.
 *
 * The compiler looks for handlers too many only where this type is written down, as in `(self): Handlers<Master> => ({ … })`.
 */
export type Handlers<C> =
  & EndpointCallbacks
  & (C extends { readonly receive: object } ? { readonly receive: ReceiveHandlers<C> } : { readonly receive?: never })
  & (C extends { readonly receiveAndReply: object } ? { readonly receiveAndReply: ReplyHandlers<C> }
    : { readonly receiveAndReply?: never });
