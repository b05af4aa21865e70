/*
 * Multipart forms: FormData of the web, npm's `form-data`, and what looks like either.
 */
import {createRequire} from 'node:module';
import {PassThrough, Readable} from 'node:stream';
import type {AxiosRequestConfig, RawAxiosRequestHeaders} from 'axios';
import {anyEnd, type Row, redirect} from '../parity.ts';

interface NpmForm extends Readable {
	append(name: string, value: unknown, options?: object): void;
	getHeaders(): Record<string, string>;
	setBoundary(boundary: string): void;
	getBuffer(): Buffer;
}

// The one that axios brings: no dependency of this package.
const [npmFormData = ''] = ['form-data'];
const fromAxios = createRequire(createRequire(import.meta.url).resolve('axios'));
const NpmForm: new () => NpmForm = fromAxios(npmFormData);

function webForm(...fields: readonly (readonly [string, string | Blob, string?])[]): FormData {
	const form = new FormData();
	for (const [name, value, file] of fields) {
		if (typeof value === 'string') form.append(name, value);
		else form.append(name, value, file);
	}
	return form;
}

const webForms: Readonly<Record<string, () => FormData>> = {
	'strings alone': () => webForm(['a', '1'], ['b', '']),
	'no field': () => webForm(),
	'repeated names': () => webForm(['a', '1'], ['a', '2'], ['a', '1']),
	'a Blob': () => webForm(['file', new Blob(['content'])]),
	'a Blob with a type': () => webForm(['file', new Blob(['content'], {type: 'text/x-test'})]),
	'a Blob with a file name': () => webForm(['file', new Blob(['content']), 'a.txt']),
	'an empty Blob': () => webForm(['file', new Blob([]), 'empty']),
	'a File': () => webForm(['file', new File(['content'], 'b.txt', {type: 'text/x-test'})]),
	'a File and a string': () => webForm(['f', new File(['c'], 'b')], ['s', 'string']),
	'names beyond ASCII': () => webForm(['näme \u{1F600}', 'välue']),
	'quotes in names': () => webForm(['a "b" \\', '1'], ['f', new Blob(['c']), 'a "b" \\.txt']),
	'line ends in names': () => webForm(['a\r\nb\nc', '1'], ['f', new Blob(['c']), 'x\r\ny.txt']),
	'line ends in values': () => webForm(['a', 'one\ntwo\rthree\r\nfour']),
	'percents in names': () => webForm(['a%22b%0D', '%']),
	'an empty name': () => webForm(['', '1']),
	'a file name beyond ASCII': () => webForm(['f', new File(['c'], 'näme \u{1F600}.txt')]),
	'an empty file name': () => webForm(['f', new File(['c'], '')]),
	'a type with odd letters': () => webForm(['f', new Blob(['c'], {type: 'text/x; a="b"'})]),
	'bytes that are no text': () => webForm(['f', new Blob([Buffer.from([0, 128, 255, 13, 10])])]),
	'100 kB': () => webForm(['f', new Blob(['x'.repeat(100_000)]), 'large']),
};

const boundary = 'boundary=ownboundary123';
const webHeaders: Readonly<Record<string, RawAxiosRequestHeaders>> = {
	'no header of the app': {},
	'multipart/form-data': {'Content-Type': 'multipart/form-data'},
	'a boundary of the app': {'Content-Type': `multipart/form-data; ${boundary}`},
	'a boundary that is too short': {'Content-Type': 'multipart/form-data; boundary=short'},
	'a boundary in quotes': {'Content-Type': 'multipart/form-data; boundary="ownboundary123"'},
	'another type': {'Content-Type': `text/x-own; ${boundary}`},
	'a length of the app': {'Content-Length': '3'},
};

export const byWebForm = Object.entries(webForms).map(
	([title, make]): Row => ({
		title: `a form of ${title}`,
		config: () => ({method: 'post', data: make()}),
		ends: 200,
	}),
);

export const byWebHeaders = Object.entries(webHeaders).map(
	([title, headers]): Row => ({
		title: `a form with ${title}`,
		config: () => ({method: 'post', data: webForm(['a', '1']), headers}),
		ends: 200,
	}),
);

const asForm: readonly [string, AxiosRequestConfig][] = [
	['an object sent as a form', {data: {a: 1, b: [1, 2], c: {d: null}}}],
	['an object with a buffer sent as a form', {data: {file: Buffer.from('buffer')}}],
	[
		'a form sent as JSON',
		{data: webForm(['a', '1']), headers: {'Content-Type': 'application/json'}},
	],
];
export const noBlobs: Row = {
	// Of an object axios makes npm's form, which takes no Blob: an error without a code.
	title: 'an object with a Blob sent as a form',
	config: () => ({
		method: 'post',
		headers: {'Content-Type': 'multipart/form-data'},
		data: {file: new Blob(['c'], {type: 'text/x'})},
	}),
	answers: () => [],
	ends: undefined,
};
export const byContentType = asForm.map(
	([title, config]): Row => ({
		title,
		config: () => ({method: 'post', headers: {'Content-Type': 'multipart/form-data'}, ...config}),
		ends: 200,
	}),
);

function npmForm(fill: (form: NpmForm) => void): NpmForm {
	const form = new NpmForm();
	form.setBoundary('npmboundary1234567890');
	fill(form);
	return form;
}

const npmForms: Readonly<Record<string, () => unknown>> = {
	'strings alone': () => npmForm((form) => form.append('a', '1')),
	'a buffer': () =>
		npmForm((form) => form.append('f', Buffer.from('content'), {filename: 'a "b".txt'})),
	'a stream of unknown length': () =>
		npmForm((form) => form.append('f', Readable.from([Buffer.from('one'), Buffer.from('two')]))),
	'a stream of known length': () =>
		npmForm((form) => form.append('f', Readable.from([Buffer.from('onetwo')]), {knownLength: 6})),
	'a stream of wrongly known length': () =>
		npmForm((form) => form.append('f', Readable.from([Buffer.from('onetwo')]), {knownLength: 8})),
	'a string and a stream': () =>
		npmForm((form) => {
			form.append('a', 'näme');
			form.append('f', Readable.from([Buffer.from('onetwo')]), {filename: 'ü.bin', knownLength: 6});
		}),
	'a number': () => npmForm((form) => form.append('n', 42)),
	'no field': () => npmForm(() => {}),
	'its buffer': () => npmForm((form) => form.append('a', '1')).getBuffer(),
};

const wrongLength = 'a stream of wrongly known length';
const noField = 'no field';

export const byNpmForm = Object.entries(npmForms)
	.filter(([title]) => title !== wrongLength && title !== noField)
	.map(
		([title, make]): Row => ({
			title: `npm's form of ${title}`,
			config: () => ({method: 'post', data: make()}),
			ends: 200,
		}),
	);

const policies: readonly [string, AxiosRequestConfig][] = [
	['no policy', {}],
	['the policy content-only', {formDataHeaderPolicy: 'content-only'} as AxiosRequestConfig],
	['the policy legacy', {formDataHeaderPolicy: 'legacy'} as AxiosRequestConfig],
	['a policy that is none', {formDataHeaderPolicy: 'odd'} as object],
];
const formHeaders = {
	'X-Form': '1',
	Authorization: 'form',
	Host: 'form.test',
};
export const byPolicy = policies.flatMap(([title, config]): Row[] => [
	{
		title: `a form with headers of its own, with ${title}`,
		config: () => ({
			method: 'post',
			data: Object.assign(
				npmForm((form) => form.append('a', '1')),
				{getHeaders: () => ({'content-type': 'multipart/form-data; boundary=x', 'X-Form': '1'})},
			),
			...config,
		}),
		ends: 200,
	},
	{
		title: `a form whose headers are those of a connection, with ${title}`,
		config: () => ({
			method: 'post',
			data: Object.assign(
				npmForm((form) => form.append('a', '1')),
				{getHeaders: () => formHeaders},
			),
			...config,
		}),
		ends: anyEnd,
		requests: anyEnd,
		looseBody: true,
	},
	{
		title: `a form and a Content-Type of the app, with ${title}`,
		config: () => ({
			method: 'post',
			data: npmForm((form) => form.append('a', '1')),
			headers: {'Content-Type': 'text/x-own', 'X-Form': 'app'},
			...config,
		}),
		ends: 200,
	},
]);

export const redirected = [303, 307].flatMap((status): Row[] => [
	{
		title: `a form and a ${status}`,
		config: () => ({method: 'post', data: webForm(['a', '1'], ['f', new Blob(['c']), 'b'])}),
		answers: (s, server) => [redirect(s.url(server, '/to'), status), {}],
		ends: 200,
	},
	...Object.entries(npmForms)
		.filter(([title]) => title !== wrongLength && title !== noField)
		.map(
			([title, make]): Row => ({
				title: `npm's form of ${title} and a ${status}`,
				config: () => ({method: 'post', data: make()}),
				answers: (s, server) => [redirect(s.url(server, '/to'), status), {}],
				ends: 200,
			}),
		),
]);

export const failing: Row[] = [
	{
		title: 'a form of a stream that fails',
		config: () => ({
			method: 'post',
			data: npmForm((form) =>
				form.append(
					'f',
					new Readable({
						read() {
							this.destroy(Object.assign(new Error('disk is gone'), {code: 'EIO'}));
						},
					}),
				),
			),
		}),
		answers: () => [],
		requests: anyEnd,
		ends: 'EIO',
		looseWire: true,
	},
	{
		title: 'a form that is piped already',
		config: () => {
			const form = npmForm((fields) => fields.append('a', '1'));
			return {method: 'post', data: form.pipe(new PassThrough()), headers: form.getHeaders()};
		},
		ends: 200,
	},
];
