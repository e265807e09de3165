import { nodeSocketDriver } from "../../src/socket/node.ts";
import { CA_CERT, SERVER_CERT, SERVER_KEY } from "./certificates.ts";
import { socketSuite } from "./socket_suite.ts";

const tls = { listen: { cert: SERVER_CERT, key: SERVER_KEY }, connect: { caCerts: [CA_CERT] } };

socketSuite({ name: "node", driver: nodeSocketDriver });
// TLS has no reset: a socket that is aborted sends FIN without a close_notify.
socketSuite({ name: "node with TLS", driver: nodeSocketDriver, tls, abortResets: false });
