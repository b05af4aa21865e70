import {isMtlsError} from '../../index.ts';
import {type ExitCode, exitCodeOf, exitCodes} from '../shared/exit-codes.ts';
import {CliTimeoutError, inFlags, networkReason} from '../shared/report-error.ts';
import type {CheckFailure} from './report.ts';

/** Why there was no answer. */
export interface ClassifiedError {
	readonly failure: CheckFailure;
	readonly exitCode: ExitCode;
	readonly code: string;
}

/**
 * Puts what a request threw in the words of a report.
 *
 * @throws the error itself, when neither the other end nor the network is to blame.
 */
export function classifyError(error: unknown): ClassifiedError {
	if (isMtlsError(error)) {
		const {kind, side, certain, reasons, hint} = error.failure;
		return {
			failure: {
				kind,
				side,
				certain,
				message: inFlags(error.message),
				// `check` follows no redirect.
				reasons: reasons.filter((reason) => !reason.startsWith('a redirect ')).map(inFlags),
				hint: inFlags(hint),
			},
			exitCode: exitCodeOf(error.failure),
			code: error.code ?? '',
		};
	}
	if (error instanceof CliTimeoutError) {
		return {
			failure: {
				kind: 'timeout',
				side: 'network',
				certain: true,
				message: error.message,
				reasons: [
					'a firewall drops what is sent there, without a word',
					'the server accepts connections and does not get round to answering',
				],
				hint: 'see which of the steps above is the last that succeeded, or allow more with --timeout',
			},
			exitCode: exitCodes.unreachable,
			code: 'ETIMEDOUT',
		};
	}
	const message = networkReason(error);
	if (message === undefined) throw error;
	const {code = ''} = error as NodeJS.ErrnoException;
	const {reasons, hint} = networkWords[code] ?? other;
	return {
		failure: {kind: 'network', side: 'network', certain: true, message, reasons, hint},
		exitCode: exitCodes.unreachable,
		code,
	};
}

type Words = Pick<CheckFailure, 'reasons' | 'hint'>;

const noRoute: Words = {
	reasons: [
		'this machine is not on the network that it takes (a VPN?)',
		'a firewall is in between',
	],
	hint: 'try from another machine, and ask the network people for the way to that host',
};

const noName: Words = {
	reasons: [
		'the name is misspelt',
		'it is known inside another network only (a VPN, another DNS server)',
	],
	hint: 'look the name up from a machine where it works, and compare the DNS servers',
};

const cut: Words = {
	reasons: [
		'the server ended the connection without an answer: its log says why',
		'a firewall or load balancer between us cut it off',
	],
	hint: 'look for this moment in the log of the server',
};

const other: Words = {
	reasons: ['the connection did not come about, or did not last'],
	hint: 'try again, and from another machine',
};

const networkWords: Readonly<Record<string, Words>> = {
	ECONNREFUSED: {
		reasons: [
			'the server is not running',
			'it listens on another port',
			'a firewall refuses for it',
		],
		hint: 'check the port, and on the server that it is listening',
	},
	ENOTFOUND: noName,
	EAI_AGAIN: noName,
	EHOSTUNREACH: noRoute,
	ENETUNREACH: noRoute,
	ETIMEDOUT: {
		reasons: ['a firewall drops what is sent there, without a word', 'the server is down'],
		hint: 'try from another machine, and ask the network people whether the port is open',
	},
	ECONNRESET: cut,
	EPIPE: cut,
};
