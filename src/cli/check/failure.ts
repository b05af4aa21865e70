import {isMtlsError} from '../../index.ts';
import {type ExitCode, exitCodeOf, exitCodes} from '../shared/exit-codes.ts';
import {explainNetworkError} from '../shared/network-errors.ts';
import {CliTimeoutError, inFlags} from '../shared/report-error.ts';
import type {CheckFailure} from './report.ts';

export interface ClassifiedError {
	readonly failure: CheckFailure;
	readonly exitCode: ExitCode;
}

/**
 * Describes the error of a request, with the flags of the command line.
 *
 * @throws the error itself, when it is neither of TLS nor of the network.
 */
export function classifyError(error: unknown): ClassifiedError {
	if (isMtlsError(error)) {
		const {kind, side, certain, reasons, hint} = error.failure;
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
		};
	}
	const network = {side: 'network', certain: true} as const;
	if (error instanceof CliTimeoutError) {
		return {
			failure: {
				...network,
				kind: 'timeout',
				message: error.message,
				reasons: [
					'a firewall drops what is sent there',
					'the server accepts connections and does not answer in time',
				],
				hint: 'see which of the steps above is the last that succeeded, or allow more with --timeout',
			},
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
