/*
 * The cases of C2SP/x509-limbo (https://x509-limbo.com) and what Node's own `tls` makes of them. They
 * lie beside the clone, not in it.
 */
import {existsSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';

/** A certificate of a server, and who is to judge it when. */
interface LimboCase {
	readonly id: string;
	readonly validation_kind: 'SERVER' | 'CLIENT';
	/** ISO 8601; `null` for whenever it is played. */
	readonly validation_time: string | null;
	readonly trusted_certs: readonly string[];
	readonly untrusted_intermediates: readonly string[];
	readonly peer_certificate: string;
	readonly peer_certificate_key: string | null;
	readonly expected_peer_name: {readonly kind: string; readonly value: string} | null;
	readonly max_chain_depth: number | null;
	readonly crls: readonly string[];
}

/** A case that can be played as a handshake. */
export interface HandshakeCase extends LimboCase {
	readonly peer_certificate_key: string;
	readonly expected_peer_name: {readonly kind: string; readonly value: string};
}

type VerdictFile = Readonly<Record<string, Readonly<Record<string, string>>>>;

const folder = fileURLToPath(new URL('../../../shared/limbo/', import.meta.url));
const casesFile = `${folder}limbo-keys.json.gz`;
const verdictsFile = `${folder}expected-node.json`;

const [major = ''] = process.versions.node.split('.');
const majors = ['22', '24', '26'];

/** Why the cases cannot be played here; `undefined` when they can. */
export const whyNoLimbo = findObstacle();

function findObstacle(): string | undefined {
	if (!existsSync(casesFile) || !existsSync(verdictsFile)) {
		return `the limbo cases are not in ${folder}: put the project's shared/ beside the clone`;
	}
	if (!majors.includes(major)) {
		return `the verdicts were recorded on Node ${majors.join(', ')}, and this is ${major}`;
	}
	return undefined;
}

/** The cases that can be played. */
export function readCases(): HandshakeCase[] {
	const text = gunzipSync(readFileSync(casesFile)).toString();
	const {testcases} = JSON.parse(text) as {testcases: LimboCase[]};
	return testcases.filter(isPlayable);
}

// Node has no option for the depth of a chain, and a client judges servers alone.
function isPlayable(one: LimboCase): one is HandshakeCase {
	return (
		one.validation_kind === 'SERVER' &&
		one.peer_certificate_key !== null &&
		one.expected_peer_name !== null &&
		one.max_chain_depth === null
	);
}

/** By the id of a case, what Node's own `tls.connect` says of it: `OK` or the code of its error. */
export function readVerdicts(): ReadonlyMap<string, string> {
	const verdicts = JSON.parse(readFileSync(verdictsFile, 'utf8')) as VerdictFile;
	return new Map(
		Object.entries(verdicts).map(([id, {[major]: verdict}]) => {
			if (verdict === undefined) throw new Error(`no verdict of Node ${major} on ${id}`);
			return [id, verdict];
		}),
	);
}
