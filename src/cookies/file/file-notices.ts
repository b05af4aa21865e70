import {callLogger} from '../../logging/messages.ts';
import type {Logger} from '../../options.ts';
import type {CookieFileError} from './cookie-file-error.ts';

/** What is to be told of a cookie file. */
export type CookieFileWarning =
	| {readonly event: 'file_exposed'; readonly path: string; readonly mode: number}
	| {
			readonly event: 'cookie_file_renamed';
			readonly path: string;
			/** Where the damaged file is now. */
			readonly renamed: string;
			readonly reason: string;
	  }
	| {
			readonly event: 'cookie_not_saved';
			readonly path: string;
			readonly name: string;
			readonly domain: string | null;
	  };

export function logCookieFileWarning(logger: Logger | false, notice: CookieFileWarning): void {
	callLogger(logger, 'warn', notice, inWords(notice));
}

export function logNotSaved(logger: Logger | false, {code, path, message}: CookieFileError): void {
	callLogger(logger, 'error', {event: 'cookie_file_not_saved', code, path}, message);
}

function inWords(notice: CookieFileWarning): string {
	const {path} = notice;
	switch (notice.event) {
		case 'file_exposed':
			return `cookie file '${path}' may be read by others (mode ${notice.mode.toString(8)}) until it is saved`;
		case 'cookie_file_renamed':
			return `cookie file '${path}' was damaged (${notice.reason}): it is now '${notice.renamed}', and a new one begins`;
		case 'cookie_not_saved':
			return `cookie ${JSON.stringify(notice.name)} of ${notice.domain} does not fit into cookie file '${path}': it ends with the process`;
	}
}
