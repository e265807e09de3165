/**
 * The settings of the module `shuffle`, which moves blocks: read and checked with those of the transport.
 *
 * Spark: the getters of common/network-common/…/util/TransportConf.java whose keys begin with `spark.shuffle.`.
 *
 * @module
 */

import { illegalValue, type SparkConf } from "../base/spark_conf.ts";
import { sizeAsInt } from "./size_as_int.ts";

/** How blocks are moved. Sizes are in bytes, times in milliseconds. */
export interface ShuffleConf {
  /** `spark.shuffle.useOldFetchProtocol`; default false; OpenBlocks instead of FetchShuffleBlocks. */
  readonly useOldFetchProtocol: boolean;
  /** `spark.shuffle.sasl.enableRetries`; default false. */
  readonly enableSaslRetries: boolean;
  /** Whether `spark.shuffle.server.chunkFetchHandlerThreadsPercent` is above 0; without effect, as the event loop is the thread. */
  readonly separateChunkFetchRequest: boolean;
  /** That percentage of serverThreads, rounded up, for the module `shuffle`; else 0; without effect. */
  readonly chunkFetchHandlerThreads: number;
  /** Whether `spark.shuffle.server.finalizeShuffleMergeThreadsPercent` is above 0; without effect. */
  readonly separateFinalizeShuffleMerge: boolean;
  /** That percentage of serverThreads, rounded up, for the module `shuffle`; else 0; without effect. */
  readonly finalizeShuffleMergeHandlerThreads: number;
  /** `spark.shuffle.push.server.mergedShuffleFileManagerImpl`; without effect, as blocks are not pushed. */
  readonly mergedShuffleFileManagerImpl: string;
  /** `spark.shuffle.push.server.minChunkSizeInMergedShuffleFile`; default 2m; bytes; without effect. */
  readonly minChunkSizeInMergedShuffleFile: number;
  /** `spark.shuffle.push.server.mergedIndexCacheSize`; default 100m; bytes; without effect. */
  readonly mergedIndexCacheSize: number;
  /** `spark.shuffle.push.server.ioExceptionsThresholdDuringMerge`; default 4; without effect. */
  readonly ioExceptionsThresholdDuringMerge: number;
  /** `spark.shuffle.push.server.mergedShuffleCleaner.shutdown.timeout`; default 60s; in whole seconds, given as ms; without effect. */
  readonly mergedShuffleCleanerShutdownTimeoutMs: number;
}

const SERVER = "spark.shuffle.server.";
const PUSH_SERVER = "spark.shuffle.push.server.";
const NO_MERGED_FILES = "org.apache.spark.network.shuffle.NoOpMergedShuffleFileManager";

/**
 * Reads them.
 *
 * @param threads How many threads servers would have. Spark: serverThreads, or twice the cores.
 * @throws RangeError that names the key whose value cannot be used.
 */
export function readShuffleConf(conf: SparkConf, module: string, threads: number): ShuffleConf {
  const fetchPercent = percentOf(conf, `${SERVER}chunkFetchHandlerThreadsPercent`);
  const mergePercent = percentOf(conf, `${SERVER}finalizeShuffleMergeThreadsPercent`);
  const share = (percent: number): number => module === "shuffle" ? Math.ceil(threads * percent / 100) : 0;
  return {
    useOldFetchProtocol: conf.getBoolean("spark.shuffle.useOldFetchProtocol", false),
    enableSaslRetries: conf.getBoolean("spark.shuffle.sasl.enableRetries", false),
    separateChunkFetchRequest: fetchPercent > 0,
    chunkFetchHandlerThreads: share(fetchPercent),
    separateFinalizeShuffleMerge: mergePercent > 0,
    finalizeShuffleMergeHandlerThreads: share(mergePercent),
    mergedShuffleFileManagerImpl: conf.get(`${PUSH_SERVER}mergedShuffleFileManagerImpl`, NO_MERGED_FILES),
    minChunkSizeInMergedShuffleFile: sizeAsInt(conf, `${PUSH_SERVER}minChunkSizeInMergedShuffleFile`, "2m"),
    mergedIndexCacheSize: conf.sizeAsBytes(`${PUSH_SERVER}mergedIndexCacheSize`, "100m"),
    ioExceptionsThresholdDuringMerge: conf.getInt(`${PUSH_SERVER}ioExceptionsThresholdDuringMerge`, 4),
    mergedShuffleCleanerShutdownTimeoutMs: conf.timeAsSeconds(`${PUSH_SERVER}mergedShuffleCleaner.shutdown.timeout`, "60s") *
      1000,
  };
}

function percentOf(conf: SparkConf, key: string): number {
  const percent = conf.getInt(key, 0);
  if (percent < 0) throw illegalValue(key, String(percent), "Value must be at least 0");
  return percent;
}
