/**
 * The serialVersionUIDs of Spark's and Scala's classes, by build of Spark: what tells one build from another on the wire.
 *
 * Spark: computed by java.io.ObjectStreamClass of every build; `~` stands for `org.apache.spark.`. The columns are those of
 * {@linkcode SPARK_BUILDS}: `=` is the same as in the column before, `-` none, and what is missing at the end is the same again.
 *
 * @module
 */

/** The builds of Spark whose classes are known, in the order of the table's columns. */
export const SPARK_BUILDS = [
  { spark: "2.4", scala: "2.12" },
  { spark: "3.5", scala: "2.12" },
  { spark: "3.5", scala: "2.13" },
  { spark: "4.0", scala: "2.13" },
  { spark: "4.1", scala: "2.13" },
  { spark: "4.2", scala: "2.13" },
] as const;

/** A line for each class. */
export const SPARK_UIDS = `
~rpc.netty.RpcEndpointVerifier$CheckExistence 7789290765573734431 = 5378738997755484868
~rpc.RpcAddress -1899949257349942769 -1438326888747922488 3128407972965539268
~rpc.RpcEndpointAddress 1385258399957075293 = -6990208951077329198
~rpc.RpcEndpointRef -1329125091869941550 -2184441956866814275 7061521101402579207 3898290494905438830 -6062078299962416402
~rpc.netty.NettyRpcEndpointRef -4186747031772874359 -6548222484686823432
~rpc.netty.RpcFailure 6200593443939224041 = -1395372036044081157
~rpc.RpcTimeout -5367083702551883755 = 1743659210666371498
~rpc.RpcEndpointNotFoundException -4886047129971431720
~rpc.RpcTimeoutException -1194671704699060008
~rpc.RpcEnvStoppedException -1312474433437629719
~SparkException -1578433868338836462 -8295328470332075411 = 236930103154366046 -6239517610739762819 -7990402199496604704
~rpc.RpcAbortException - 1878569612810823456 = -
~deploy.master.MasterMessages$BoundPortsRequest$ -8315875281763783979 = -626912526822357023
~deploy.master.MasterMessages$BoundPortsResponse -2352395809294000308 = -5653822587397886476
~deploy.DeployMessages$RequestMasterState$ -6953120368494249720 = 747665300976380874
~deploy.DeployMessages$MasterStateResponse -7003209326892940194 = -4369730164564887363
~deploy.master.WorkerInfo 7036178881785247710 -8234335936047841715 1386570862936057819 -329449204431697313
~deploy.master.ApplicationInfo 1215817445176346182 8421893328388803427 -6365190080180999946
~deploy.master.DriverInfo -5540488244580737430 -6369014847429205186 -840902290138163027
~deploy.master.WorkerResourceInfo - -6083552944884497963 4516925413119443855 3040024276165742062
~deploy.DeployMessages$RequestDriverStatus -5846948205890614879 = -1863272440264723007
~deploy.DeployMessages$DriverStatusResponse -3465802222189996071 = -4025416254008241436
~deploy.DeployMessages$RegisterWorker -6680122612102513057 2340739175558496895 3085801672543586679
~deploy.DeployMessages$RegisteredWorker 2953498461090460712 -6583824506050423131 4494326790182535375
~deploy.DeployMessages$RegisterWorkerFailed 1611824441154345931 = -1260050193667886756
~deploy.DeployMessages$MasterInStandby$ 2104352117297495945 = -527424385773528579
~deploy.DeployMessages$WorkerLatestState 4188474217440943790 = -6850897349328470644
~deploy.DeployMessages$WorkerSchedulerStateResponse 3606607739116329138 1156382645110166268 -8020849573893123207
~deploy.DeployMessages$WorkerExecutorStateResponse - -2670241226488428326 570164009143971165
~deploy.DeployMessages$WorkerDriverStateResponse - -8149971396387627666 3207171818063266266
~deploy.DeployMessages$Heartbeat 5048299117639018539 = -5233196306810399467
~deploy.DeployMessages$ReconnectWorker -9122754900339729833 = -2009857930057535479
~deploy.DeployMessages$RegisterApplication -5495080032843259921 = 1314361325537467148
~deploy.DeployMessages$RegisteredApplication 5278639749174223007 = -6901749326309445091
~deploy.ApplicationDescription 6543101073799644159 -6826680068825109317 -2632783909929761209
~deploy.Command -7098307370860582211 = 8406518256943838952
~deploy.DriverDescription 6367001893258938067 6857588364864877158 -809178530656055453
~deploy.ExecutorDescription -4957249659419775616 5365889996187674839 1584025758536987952
~deploy.DeployMessages$LaunchExecutor 7526802278587676330 -7825761391187547385 -1708518885666390927
~deploy.DeployMessages$LaunchDriver -6101493710010509956 -8932256009393220852 -1395589387083976052
~deploy.DeployMessages$KillDriver 5427866380509360776 = 7880461073620246646
~deploy.DeployMessages$ExecutorAdded -5916818324565015877 = -249263137093654894
~deploy.DeployMessages$ExecutorUpdated 1654279024112373855 -1971851081955655249 7366624812085443383
~deploy.DeployMessages$ExecutorStateChanged 598573664597499922 = -8088587685683531104
~deploy.DeployMessages$DriverStateChanged -8251670405306024888 = -8449820785438919136
~deploy.DeployMessages$RequestSubmitDriver 2086705296795265444 = -4723813690162202536
~deploy.DeployMessages$SubmitDriverResponse -80670711167889761 = 1264692137852214334
~deploy.DeployMessages$RequestKillDriver 7763132472584695338 = -6009959939375207245
~deploy.DeployMessages$KillDriverResponse -5685580032327227420 = 7353456796753276811
~deploy.DeployMessages$KillExecutor -1454737241013568120 = 927374272032173679
~deploy.DeployMessages$KillExecutors -3955979353196882338 = 9133637256198584554
~deploy.DeployMessages$RequestExecutors -797605926471212175 1498232161328921434 7425611577559342961
~deploy.DeployMessages$UnregisterApplication 78849718616371197 = -8390152732535815425
~deploy.DeployMessages$ApplicationFinished -1110854882082877299 = -4605583667110307807
~deploy.DeployMessages$ApplicationRemoved -2193879537607548452 = -551990914494718686
~deploy.DeployMessages$WorkerRemoved -1226921232618907123 = 4786945831378396219
~deploy.DeployMessages$MasterChanged 3319114490576369105 = 425198687439047197
~deploy.DeployMessages$MasterChangeAcknowledged -1383577790594576537 = 4447603314273774296
~deploy.DeployMessages$StopAppClient$ -7697040813286556788 = -3753782064437879190
~deploy.DeployMessages$SendHeartbeat$ -5040777699629076526 = -3449842229846663717
~deploy.DeployMessages$RequestWorkerState$ -8095521657553640263 = -3696304506317343518
~deploy.DeployMessages$WorkerStateResponse 8018264578929129340 843186296589705566 6771735049267489000
~deploy.ExecutorState$ 6325492267599116899 -5815532128903053669 -8560923695513481875
~deploy.master.DriverState$ -9100895842830691601 = -1220316901146488549
~deploy.master.WorkerState$ 8047776469967086882 = 2939419039950625
~deploy.master.ApplicationState$ 5687495448371631497 = -2340139623546559736
~deploy.master.RecoveryState$ 9116692593285794490 = -6691380842819359967
~resource.ResourceProfile - 6817910790482746242 -7395610577463317059 -6369593179083993645 -2517983430696660228
~resource.ExecutorResourceRequest - 5782601261351383414 -3537996555112406739
~resource.TaskResourceRequest - -7737698291064389497 693441405389339160
~resource.ResourceInformation - -3226867054569247154 8661901166026590481 1962992342603777426
~resource.ResourceRequirement - -294983194822912093 8620403987018219005
~scheduler.cluster.CoarseGrainedClusterMessages$RetrieveSparkAppConfig - -6712847925685497919 7017594059367549417
~scheduler.cluster.CoarseGrainedClusterMessages$RegisterExecutor -3644104490882676004 -7451342491473837350 3905251083871356537
~scheduler.cluster.CoarseGrainedClusterMessages$RegisteredExecutor$ -2183848462440486645 -
~scheduler.cluster.CoarseGrainedClusterMessages$SparkAppConfig 3964760196877903909 -2364591030179560014 -389008483057629813 6428269128598187261
~scheduler.cluster.CoarseGrainedClusterMessages$LaunchedExecutor - -3203961216279804549 2083535426616271593
~scheduler.cluster.CoarseGrainedClusterMessages$LaunchTask 4641591168032083960 = -4033821890204883475
~scheduler.cluster.CoarseGrainedClusterMessages$StatusUpdate 161826242405668658 970807164774306063 -2077631230976305431
~HeartbeatResponse -5183358485476926077 = 2962191254037405367
~storage.BlockManagerId 1196894680502712450 8760323731857918296
~Heartbeat -3395605122687888761 4989713036412014066 -8382210482032563805
scala.None$ 5066590221178148012
scala.Some 1234815782226070388
scala.Option -114498752079829388
scala.Tuple2 3356420310891166197 = 142951686315914362
scala.Tuple2$mcCC$sp -9191242338936078151
scala.Tuple2$mcCD$sp -3768699856948694467
scala.Tuple2$mcCI$sp -6786362354948000351
scala.Tuple2$mcCJ$sp -489145940910560176
scala.Tuple2$mcCZ$sp -5390964504961692094
scala.Tuple2$mcDC$sp -4051725201546331037
scala.Tuple2$mcDD$sp 8429703231800599375
scala.Tuple2$mcDI$sp 7079126577931029342
scala.Tuple2$mcDJ$sp 8120303959396105193
scala.Tuple2$mcDZ$sp -3321459430626848004
scala.Tuple2$mcIC$sp -2459069836415224425
scala.Tuple2$mcID$sp -6293062203018806893
scala.Tuple2$mcII$sp 7933419526898192310
scala.Tuple2$mcIJ$sp 5272615281937746249
scala.Tuple2$mcIZ$sp 4243648776370796192
scala.Tuple2$mcJC$sp -7493618108823680322
scala.Tuple2$mcJD$sp -5177813621530904506
scala.Tuple2$mcJI$sp -597123490563130465
scala.Tuple2$mcJJ$sp -2209874359060389928
scala.Tuple2$mcJZ$sp -3666216731409413227
scala.Tuple2$mcZC$sp -3217366335613329827
scala.Tuple2$mcZD$sp -1958908293366787317
scala.Tuple2$mcZI$sp -1890694178614667081
scala.Tuple2$mcZJ$sp -6149119140310742348
scala.Tuple2$mcZZ$sp -1278970842575135285
scala.Tuple3 -8522163535874829495 = -5666617268248770194
scala.collection.immutable.Nil$ -8256821097970055419 = -1030056436834518458
scala.collection.immutable.$colon$colon 509929039250432923 = 960990801487647702
scala.collection.immutable.List$SerializationProxy 1 = -
scala.collection.immutable.ListSerializeEnd$ -8476791151975527571 = -
scala.collection.generic.DefaultSerializationProxy - = 3
scala.collection.generic.SerializeEnd$ - = 3
scala.collection.IterableFactory$ToFactory - = 3
scala.collection.MapFactory$ToFactory - = 3
scala.collection.immutable.List$ -4340643812252997904 = 3
scala.collection.immutable.Vector$ 5805196996440746504 -618928216772288650 3
scala.collection.immutable.Map$ - = 3
scala.collection.immutable.HashMap$ -3269774839342898273 2988474815469453536 3
scala.runtime.ModuleSerializationProxy - = 1
scala.collection.immutable.Vector -1334388273712300479 = -7210782973657523008 5097279164634738167 -4209841059489978211
scala.collection.immutable.Map$EmptyMap$ -5626373049574850357 = 3
scala.collection.immutable.Map$Map1 -9131943191104946031 = 3
scala.collection.immutable.Map$Map2 -85684685400398742 = 3
scala.collection.immutable.Map$Map3 -6400718707310517135 = 3
scala.collection.immutable.Map$Map4 -7992135791595275193 = 3
scala.collection.immutable.HashMap$SerializationProxy 2 = -
scala.runtime.BoxedUnit 8405543498931817370
scala.Enumeration 8476000850333817230
scala.Enumeration$Val -3501153230598116017
scala.Enumeration$Value 7091335633555234129
scala.util.Left -229085654799129017 = -525309787470473293
scala.util.Right 6067109512362080409 = 8944294921032069635
scala.util.Success 2781030314024657921 = -1336302996839481658
scala.util.Failure 2712945844909226983 = -7516736387466231810
scala.concurrent.duration.FiniteDuration -4594686286536372853 = = -6513803676778706429
scala.concurrent.duration.Duration -7521802526148376080 = -3406587990610982771
~deploy.DeployMessages$RequestKillAllDrivers$ - = = -5788778459428030730
~deploy.DeployMessages$KillAllDriversResponse - = = -8353517662347544217
~deploy.DeployMessages$RequestClearCompletedDriversAndApps$ - = = -2016761822100720973
~deploy.DeployMessages$RequestReadyz$ - = = 7372794124295618119
~deploy.DeployMessages$DecommissionWorker$ - 424737475903659043 6969892687848485145
~deploy.DeployMessages$WorkerDecommissioning - 1162011726282573694 8969258284774933843
~deploy.DeployMessages$DecommissionWorkersOnHosts - -4245048730789221583 2582546299461359131
`;
