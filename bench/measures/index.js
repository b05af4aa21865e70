import {measureConnections} from './connections.js';
import {measureImportTime} from './import-time.js';
import {measureLargeJar} from './large-jar.js';
import {measureMemory} from './memory.js';
import {measureOrigins} from './origins.js';
import {measureShapes} from './shapes.js';
import {measureStreams} from './streams.js';
import {measureTransfer} from './transfer.js';
import {measureTunnel} from './tunnel.js';

/** By the name that `--only` takes. */
export const measures = {
	shapes: measureShapes,
	connections: measureConnections,
	jar: measureLargeJar,
	origins: measureOrigins,
	memory: measureMemory,
	streams: measureStreams,
	transfer: measureTransfer,
	tunnel: measureTunnel,
	import: measureImportTime,
};
