import {isMtlsError, type MtlsFailure} from '../../index.ts';
import {authorityOf} from '../../util/url.ts';
import {type ExitCode, exitCodeOf, exitCodes} from '../shared/exit-codes.ts';
import {explainNetworkError} from '../shared/network-errors.ts';
import type {OptionWriter} from '../shared/option-words.ts';
import {CliTimeoutError} from '../shared/report-error.ts';
import type {CheckFailure} from './report.ts';
import type {HostPort} from './tcp-probe.ts';

export interface ClassifiedError {
	readonly failure: CheckFailure;
	readonly exitCode: ExitCode;
	/** The alert that the server sent. */
	readonly alert?: string | undefined;
	/** The library's ids of the reasons, in their order. */
	readonly causes?: readonly string[] | undefined;
	/** What the server got of the client certificate, where that is known. */
	readonly use?: MtlsFailure['clientCertificate'] | undefined;
}

/** The step in which a check that was cut off was waiting. */
export type Stage = 'lookup' | 'tcp' | 'tunnel' | 'tls' | 'response';

/** Where and how far a request went. */
export interface Journey {
	readonly stage: Stage;
	readonly server: HostPort;
	/** `--timeout`, in seconds. */
	readonly timeout: string;
}

/**
 * Describes the error of a request, with the flags of the command line.
 *
 * @throws the error itself, when it is neither of TLS nor of the network.
 */
export function classifyError(
	error: unknown,
	journey: Journey,
	inFlags: OptionWriter,
): ClassifiedError {
	if (isMtlsError(error)) {
		const {kind, side, certain, reasons, causes, hint, alert, clientCertificate} = error.failure;
		return {
			failure: {
				kind,
				side,
				certain,
				message: inFlags(error.summary),
				reasons: reasons.map(inFlags),
				hint: inFlags(hint),
			},
			exitCode: exitCodeOf(error.failure),
			alert,
			causes,
			use: clientCertificate,
		};
	}
	const network = {side: 'network', certain: true} as const;
	if (error instanceof CliTimeoutError) {
		return {
			failure: {...network, kind: 'timeout', ...timeouts[journey.stage](journey)},
			exitCode: exitCodes.unreachable,
		};
	}
	const explained = explainNetworkError(error);
	if (explained === undefined) throw error;
	const {summary: message, reasons, hint} = explained;
	return {
		failure: {...network, kind: 'network', message, reasons, hint},
		exitCode: exitCodes.unreachable,
	};
}

type Explanation = Pick<CheckFailure, 'message' | 'reasons' | 'hint'>;

const addressOf = ({server: {host, port}}: Journey) => authorityOf(host, port);

// Node 24 has OpenSSL 3.5, whose ClientHello has a post-quantum key share of 1,216 bytes.
const sendsLongHello = () => Number.parseFloat(process.versions.openssl) >= 3.5;

/** By the step that took too long: no cause is listed that the steps before it exclude. */
const timeouts: Readonly<Record<Stage, (journey: Journey) => Explanation>> = {
	lookup: ({server, timeout}) => ({
		message: `the name ${server.host} was not looked up within ${timeout} s`,
		reasons: ['the DNS server cannot be reached', 'it waits for another DNS server'],
		hint: 'look the name up with another program, and check which DNS server this machine asks',
	}),
	tcp: ({timeout}) => ({
		message: `no TCP connection within ${timeout} s`,
		reasons: ['a firewall drops what is sent there', 'the machine is down, or has another address'],
		hint: 'try from another machine, and ask the network people whether the port is open',
	}),
	tunnel: (journey) => ({
		message: `the proxy accepted the connection and opened no tunnel to ${addressOf(journey)} within ${journey.timeout} s`,
		reasons: [
			'the proxy cannot reach the server, and waits for it',
			'the port is not that of a proxy of this kind',
		],
		hint: 'ask those who run the proxy whether it reaches the server, or allow more with `--timeout`',
	}),
	tls: (journey) => ({
		message: `${addressOf(journey)} accepts TCP connections and did not answer the TLS handshake within ${journey.timeout} s`,
		reasons: [
			'the server is overloaded, or hangs',
			'the port speaks another protocol, in which the server waits for a command',
			...(sendsLongHello()
				? ['something on the way drops a ClientHello of two packets (it has post-quantum keys)']
				: []),
		],
		hint: 'look at the server, or allow more with `--timeout`',
	}),
	response: (journey) => ({
		message: `${addressOf(journey)} made the TLS handshake and sent no response within ${journey.timeout} s`,
		reasons: [
			'the server, or an application behind it, is slow or hangs',
			'it waits for something that the client certificate decides, such as a directory',
		],
		hint: 'look at the log of the server, or allow more with `--timeout`',
	}),
};
