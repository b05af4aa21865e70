export interface GetArguments {
	readonly command: 'get';
	readonly url: string;
	readonly cert?: string;
	readonly key?: string;
	readonly ca?: readonly string[];
	readonly passphraseFile?: string;
	readonly jar?: string;
	readonly location?: boolean;
	readonly proxy?: string;
	readonly timeout?: string;
	readonly allowExpired?: boolean;
}

export interface CheckArguments {
	readonly command: 'check';
	readonly url: string;
	readonly cert?: string;
	readonly key?: string;
	readonly pfx?: string;
	readonly passphraseFile?: string;
	readonly allowExpired?: boolean;
	readonly ca?: readonly string[];
	readonly pin?: readonly string[];
	readonly crl?: readonly string[];
	readonly spiffeId?: string;
	readonly proxy?: string;
	readonly timeout: string;
	readonly json?: boolean;
	readonly html?: string;
}

export interface InspectArguments {
	readonly command: 'inspect';
	readonly file: string;
	readonly key?: string;
	readonly passphraseFile?: string;
}

export interface CertsArguments {
	readonly command: 'certs';
	readonly dir: string;
	readonly force?: boolean;
}

export interface ServeArguments {
	readonly command: 'serve';
	readonly dir: string;
	readonly port: string;
}

/** What a command line asks for. The values are still text: each command reads its own. */
export type Invocation =
	| GetArguments
	| CheckArguments
	| InspectArguments
	| CertsArguments
	| ServeArguments
	| {readonly command: 'demo'}
	| {readonly command: 'help'; readonly text: string};
