/**
 * Sparkwire: Apache Spark's Netty RPC for Deno, Bun and Node.
 *
 * @example An endpoint, and somebody who asks it
 * ```ts
 * import { RpcEnv } from "@sparkwire/sparkwire";
 *
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * server.setupEndpoint("Greeter", { receiveAndReply: (name) => `Hello, ${name}` });
 *
 * const client = await RpcEnv.create({ name: "client" });
 * const greeter = await client.setupEndpointRef(`spark://Greeter@${server.address}`);
 * console.log(await greeter.ask("Ada"));
 *
 * await client.shutdown();
 * await server.shutdown();
 * ```
 *
 * @module
 */

// Environments, endpoints, references.
export { RpcEnv } from "./src/rpc/rpc_env.ts";
export type { LookupOptions, RpcEnvCompanion, RpcEnvLimits, RpcEnvOptions, ShutdownOptions } from "./src/rpc/rpc_env.ts";
export type { LookupTarget } from "./src/rpc/lookup_target.ts";
export { IsolatedRpcEndpoint, ThreadSafeRpcEndpoint } from "./src/rpc/rpc_endpoint.ts";
export type { EndpointBase, RpcEndpoint, TypedEndpoint } from "./src/rpc/rpc_endpoint.ts";
export type { AbortableRpcFuture, AskOptions, ContractFunctions, RpcEndpointRef } from "./src/rpc/rpc_endpoint_ref.ts";
export { later, unhandled } from "./src/rpc/rpc_call_context.ts";
export type { Later, RpcCallContext } from "./src/rpc/rpc_call_context.ts";
export { RpcAddress } from "./src/rpc/rpc_address.ts";
export type { RpcAddressOptions } from "./src/rpc/rpc_address.ts";
export { RpcEndpointAddress } from "./src/rpc/rpc_endpoint_address.ts";
export type { RpcEnvFileServer, StreamSource } from "./src/rpc/rpc_env_file_server.ts";
export type { UriOptions } from "./src/rpc/spark_uri.ts";
export { RpcTimeout } from "./src/rpc/rpc_timeout.ts";
export type { TimedOutAsk } from "./src/rpc/rpc_timeout.ts";
export type { EndpointStats, OutboxStats, RpcEnvStats } from "./src/rpc/rpc_env_stats.ts";
export type { DroppedMessage } from "./src/rpc/dispatcher.ts";
export type { DropReason } from "./src/rpc/inbox.ts";
export type { InboxLimits } from "./src/rpc/inbox_limits.ts";
export type { SecurityManager } from "./src/rpc/security_manager.ts";
export type { SecretKeyHolder } from "./src/transport/secret_key_holder.ts";
export { prometheusMetrics } from "./src/rpc/prometheus_metrics.ts";
export type { MetricLabels } from "./src/transport/prometheus_text.ts";
export type { ConnectionStats } from "./src/transport/connection_stats.ts";
export type { TransportStats } from "./src/transport/transport_metrics.ts";
export type { LatencyStats } from "./src/transport/latency_histogram.ts";

// Files, and bytes that are sent as a stream.
export { BytesManagedBuffer } from "./src/protocol/managed_buffer.ts";
export type { ManagedBuffer } from "./src/protocol/managed_buffer.ts";
export { FileSegmentManagedBuffer } from "./src/transport/file_segment_managed_buffer.ts";
export { StreamManagedBuffer } from "./src/transport/stream_managed_buffer.ts";
export type { ByteSource } from "./src/transport/stream_managed_buffer.ts";
export { nodeFiles } from "./src/platform/node_files.ts";
export { MemoryFiles } from "./src/platform/memory_files.ts";
export type { FileHandle, FileInfo, Files } from "./src/platform/files.ts";
export { nodeWritableFiles } from "./src/platform/node_writable_files.ts";
export { MemoryWritableFiles } from "./src/platform/memory_writable_files.ts";
export type { FileWriter, WritableFiles } from "./src/platform/writable_files.ts";

// The transport alone: requests, streams, chunks and uploads without endpoints.
export { TransportContext } from "./src/transport/transport_context.ts";
export type { TransportContextOptions } from "./src/transport/transport_context.ts";
export { DEFAULT_TRANSPORT_LIMITS } from "./src/transport/transport_limits.ts";
export type { TransportLimits } from "./src/transport/transport_limits.ts";
export type { CreateServerOptions, TransportServer } from "./src/transport/transport_server.ts";
export type {
  CreateClientOptions,
  CreateUnmanagedClientOptions,
  TransportClientFactory,
} from "./src/transport/transport_client_factory.ts";
export type { TransportClient } from "./src/transport/transport_client.ts";
export type { Channel } from "./src/transport/channel.ts";
export type { TransportClientBootstrap } from "./src/transport/transport_client_bootstrap.ts";
export type { TransportServerBootstrap } from "./src/transport/transport_server_bootstrap.ts";
export { askRpc } from "./src/transport/ask_rpc.ts";
export type { AskRpcOptions } from "./src/transport/ask_rpc.ts";
export { readChunk, readStream, receiveUpload, sendUpload } from "./src/transport/transfers.ts";
export type { TransferOptions, UploadOptions } from "./src/transport/transfers.ts";
export { noOpRpcHandler } from "./src/transport/rpc_handler.ts";
export type { RpcHandler } from "./src/transport/rpc_handler.ts";
export type { Content, ContentWriter, RpcResponder, RpcResponseCallback } from "./src/transport/rpc_response_callback.ts";
export type { ChunkReceivedCallback } from "./src/transport/chunk_received_callback.ts";
export type { StreamCallback, StreamFlow } from "./src/protocol/stream_callback.ts";
export type { StreamCallbackWithId } from "./src/transport/stream_callback_with_id.ts";
export type { StreamManager } from "./src/transport/stream_manager.ts";
export { OneForOneStreamManager } from "./src/block/one_for_one_stream_manager.ts";
export type {
  Chunk,
  ChunkIterator,
  OneForOneStreamManagerOptions,
  RegisterStreamOptions,
} from "./src/block/one_for_one_stream_manager.ts";
export { StreamChunkId } from "./src/protocol/stream_chunk_id.ts";
export type {
  MergedBlock,
  MergedBlockMetaReqHandler,
  MergedBlockMetaResponder,
  MergedBlockMetaResponseCallback,
} from "./src/transport/merged_block_meta.ts";
export { TransportConf } from "./src/transport/transport_conf.ts";
export type { IoMode, TransportConfOptions } from "./src/transport/transport_conf.ts";
export type { CipherTransformation, TransportAuthConf } from "./src/transport/transport_auth_conf.ts";
export type { SslRpcConf } from "./src/transport/ssl_rpc_conf.ts";
export type { ShuffleConf } from "./src/transport/shuffle_conf.ts";

// Blocks: fetched, uploaded and served.
export { NettyBlockTransferService } from "./src/block/netty_block_transfer_service.ts";
export type { BlockTransferServiceOptions } from "./src/block/block_transfer_options.ts";
export { ExecutorDeadError } from "./src/block/block_transfer_service.ts";
export type {
  BlockPeer,
  BlockTransferOptions,
  BlockTransferService,
  BlockTransferStats,
  FetchBlocksOptions,
  OpenBlockOptions,
} from "./src/block/block_transfer_service.ts";
export type { BlockDataManager } from "./src/block/block_data_manager.ts";
export type { BlockFetchingListener } from "./src/block/block_fetching_listener.ts";
export type { ShuffleBlockId } from "./src/block/block_id.ts";
export type { Cause } from "./src/block/corruption_messages.ts";
export { DiskBlockManager } from "./src/block/disk_block_manager.ts";
export type { BlockWriter, DiskBlockManagerOptions } from "./src/block/disk_block_manager.ts";
export { DiskBlockStore } from "./src/block/disk_block_store.ts";
export type { DiskBlockStoreOptions } from "./src/block/disk_block_store.ts";
export { SimpleDownloadFile } from "./src/block/download_file.ts";
export type { DownloadFile, DownloadFileManager, DownloadFileWritableChannel } from "./src/block/download_file.ts";

// Typed endpoints and references.
export { endpoint } from "./src/typed/endpoint.ts";
export type { EndpointOptions, Schemas } from "./src/typed/endpoint.ts";
export { typedRef } from "./src/typed/typed_ref.ts";
export type { Ref } from "./src/typed/typed_ref.ts";
export type {
  Args,
  Asks,
  Contract,
  EndpointCallbacks,
  Handlers,
  Payload,
  ReceiveHandler,
  ReceiveHandlers,
  Reply,
  ReplyContext,
  ReplyHandler,
  ReplyHandlers,
  Sends,
  Travels,
} from "./src/typed/contract.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./src/typed/standard_schema.ts";

// A driver and its executors.
export { DRIVER_ID, SparkEnv } from "./src/spark/spark_env.ts";
export type { DriverEnvOptions, SparkEnvOptions, SparkRpcEnvOptions } from "./src/spark/spark_env.ts";
export { EndpointName, SystemName } from "./src/spark/endpoint_name.ts";
export { makeDriverRef } from "./src/spark/driver_ref.ts";
export type { DriverRefOptions } from "./src/spark/driver_ref.ts";
export { readHeartbeatConf } from "./src/spark/heartbeat.ts";
export type {
  Heartbeat,
  HeartbeatConf,
  HeartbeatContract,
  HeartbeatResponse,
  HeartbeatUpdates,
} from "./src/spark/heartbeat.ts";
export { HeartbeatReceiver } from "./src/spark/heartbeat_receiver.ts";
export type { HeartbeatScheduler } from "./src/spark/heartbeat_receiver.ts";
export { HEARTBEAT_FAILURE_EXIT_CODE, Heartbeater } from "./src/spark/heartbeater.ts";
export type { HeartbeaterOptions } from "./src/spark/heartbeater.ts";

// A standalone cluster's Master.
export { SparkMaster } from "./src/spark/deploy/spark_master.ts";
export type {
  AwaitDriverOptions,
  KilledDriver,
  MasterCallOptions,
  SparkMasterOptions,
  SubmittedDriver,
} from "./src/spark/deploy/spark_master_options.ts";
export { describeDriver } from "./src/spark/deploy/driver_launch.ts";
export type { DriverLaunch } from "./src/spark/deploy/driver_launch.ts";
export { isFinalDriverState } from "./src/spark/deploy/driver_status.ts";
export type { DriverStatus } from "./src/spark/deploy/driver_status.ts";
export type {
  ApplicationSummary,
  DriverSummary,
  MasterPorts,
  MasterStatus,
  WorkerSummary,
} from "./src/spark/deploy/master_status.ts";
export { NoAliveMasterError } from "./src/spark/deploy/no_alive_master_error.ts";
export type { MasterProbe } from "./src/spark/deploy/no_alive_master_error.ts";
export { DriverRefusedError } from "./src/spark/deploy/driver_refused_error.ts";

// What messages are made of.
export { cborSerializer } from "./src/serializer/cbor.ts";
export { java } from "./src/rpc/java_serializer.ts";
export type { JavaSerializer, JavaSerializerOptions } from "./src/serializer/java/java.ts";
export { CheckExistence } from "./src/serializer/java/check_existence.ts";
export { javaTemplates } from "./src/serializer/java/java_templates.ts";
export { RpcFailure, TypedMessage } from "./src/serializer/serializer.ts";
export type { EncodedRef, RefAddress, Serializer, SerializerContext } from "./src/serializer/serializer.ts";
export { ByteReader } from "./src/base/byte_reader.ts";
export { ByteSink } from "./src/base/byte_sink.ts";
export { MessageBody } from "./src/base/message_body.ts";
export { ReceivedBytes } from "./src/base/received_bytes.ts";
export type { ReaderError } from "./src/base/byte_reader.ts";

// Values and classes of Java and Scala.
export { defineJavaClass, defineScalaObject } from "./src/serializer/java/define_java_class.ts";
export type {
  JavaClass,
  JavaClassOptions,
  JavaClassValue,
  JavaFields,
  JavaFieldValues,
  JavaInherited,
  JavaInit,
  ScalaObjectOptions,
} from "./src/serializer/java/define_java_class.ts";
export { asJava, javaTypes } from "./src/serializer/java/java_types.ts";
export type {
  JavaFieldReading,
  JavaFieldWriting,
  JavaType,
  JavaTypeLike,
  JavaTypeName,
  JavaTypeNames,
  JavaTypeValue,
} from "./src/serializer/java/java_type.ts";
export type { JavaTypes, TupleValues } from "./src/serializer/java/java_types.ts";
export { JavaBigDecimal, JavaNumber } from "./src/serializer/java/java_numbers.ts";
export type { JavaNumberType, JavaNumberValue } from "./src/serializer/java/java_numbers.ts";
export { JavaBlockData, JavaClassObject, JavaEnum, JavaObject } from "./src/serializer/java/java_object.ts";
export { JavaClassDesc } from "./src/serializer/java/class_desc.ts";
export type { ClassSource, JavaClassDescParts, JavaField } from "./src/serializer/java/class_desc.ts";
export { ScalaObject } from "./src/serializer/java/scala_object.ts";
export {
  Failure,
  FiniteDuration,
  Left,
  None,
  Right,
  ScalaEnumValue,
  Some,
  Success,
} from "./src/serializer/java/scala_values.ts";
export type { Holds, TimeUnit } from "./src/serializer/java/scala_values.ts";
export { sparkDeploy } from "./src/serializer/java/deploy_messages.ts";
export type {
  SparkApplicationDescription,
  SparkApplicationInfo,
  SparkCommand,
  SparkDeploy,
  SparkDriverDescription,
  SparkDriverInfo,
  SparkDriverState,
  SparkExecutorDescription,
  SparkExecutorResourceRequest,
  SparkExecutorState,
  SparkRecoveryState,
  SparkResourceInformation,
  SparkResourceProfile,
  SparkResourceRequirement,
  SparkTaskResourceRequest,
  SparkUri,
  SparkWorkerDriverStateResponse,
  SparkWorkerExecutorStateResponse,
  SparkWorkerInfo,
} from "./src/serializer/java/deploy_types.ts";
export type { SparkVersion } from "./src/serializer/java/spark_versions.ts";

// Sockets of the runtimes.
export { defaultSocketDriver } from "./src/socket/default.ts";
export { SocketError } from "./src/socket/socket.ts";
export type {
  AttachSocket,
  ConnectOptions,
  ListenOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketErrorCode,
  SocketHandler,
  SocketListener,
  SocketOptions,
  TlsOptions,
} from "./src/socket/socket.ts";

// A simulated world, for tests.
export { SimulatedWorld } from "./src/rpc/simulated_world.ts";
export type { SimulatedRpcEnvOptions } from "./src/rpc/simulated_world.ts";
export { SimulatedNetwork } from "./src/socket/sim.ts";
export type { SimulatedFaults, SimulatedHost, SimulatedNetworkOptions, SimulatedTrace } from "./src/socket/sim.ts";
export { SimulatedClock } from "./src/base/simulated_clock.ts";
export type { SimulatedHostClock } from "./src/base/simulated_host_clock.ts";
export type { SimulatedRunOptions } from "./src/base/simulated_clock.ts";

// Configuration, errors, log, time.
export { SparkConf } from "./src/base/spark_conf.ts";
export type { SparkConfInit, SparkConfValue } from "./src/base/spark_conf.ts";
export {
  ProtocolError,
  RpcEndpointNotFoundError,
  RpcError,
  RpcOverloadedError,
  RpcRemoteError,
  RpcStoppedError,
  RpcTimeoutError,
  SerializerError,
  StreamError,
  UnsupportedMessageError,
} from "./src/base/errors.ts";
export type { AskPhase, RpcErrorCode } from "./src/base/error_codes.ts";
export type {
  ProtocolErrorOptions,
  RpcRemoteErrorOptions,
  RpcTimeoutErrorOptions,
  SerializerErrorOptions,
} from "./src/base/errors.ts";
export { consoleLogger, silentLogger } from "./src/base/logger.ts";
export type { ConsoleLoggerOptions, Logger, LogLevel } from "./src/base/logger.ts";
export { systemClock } from "./src/base/clock.ts";
export type { Clock, Timer } from "./src/base/clock.ts";
export type { Random } from "./src/base/random.ts";

/** The version of this module. */
export const version = "0.1.0";
