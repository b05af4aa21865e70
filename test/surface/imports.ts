import {readdirSync, readFileSync} from 'node:fs';
import {isBuiltin} from 'node:module';
import {posix, sep} from 'node:path';
import {fileURLToPath} from 'node:url';

export const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** One import of a source file. */
export interface Import {
	/** Path below `src/`, with slashes: `http/adapter.ts`. */
	readonly file: string;
	readonly line: number;
	/** Path below `src/` for a file of ours, else the specifier as it stands: `axios`, `node:tls`. */
	readonly target: string;
	readonly of: 'us' | 'node' | 'package';
	/** Nothing of it is left at run time. */
	readonly typesAlone: boolean;
	/** What is imported at run time: `default`, `*`, or the exported names. */
	readonly names: readonly string[];
}

/** Every source file, as a path below `src/` with slashes. */
export function sourceFiles(): string[] {
	return readdirSync(src, {recursive: true, encoding: 'utf8'})
		.map((path) => path.replaceAll(sep, '/'))
		.filter((path) => path.endsWith('.ts'))
		.sort();
}

export function importsOf(file: string): Import[] {
	return readImports(file, readFileSync(src + file, 'utf8'));
}

// No `=`, `;` or bracket stands between the word and its `from`, so a declaration is no match.
const statement = /^(?:import|export)\s+(type\s)?([\w\s$*,{}]+?)\s*from\s*'([^']+)'/gm;
const bare = /^import\s*'([^']+)'/gm;
// `resolution-mode` is an attribute of types alone.
const dynamic = /(typeof\s+)?\bimport\(\s*'([^']+)'\s*(, \{ with: \{'resolution-mode'[^)]*)?\)/g;

/** Reads what a file imports and re-exports, statically or not. */
export function readImports(file: string, text: string): Import[] {
	const found: Import[] = [];
	const add = (index: number, specifier: string, names: readonly string[]) => {
		const line = text.slice(0, index).split('\n').length;
		found.push({file, line, ...resolve(file, specifier), names, typesAlone: names.length === 0});
	};
	for (const {index, 1: type, 2: clause = '', 3: specifier = ''} of text.matchAll(statement)) {
		add(index, specifier, type ? [] : namesOf(clause));
	}
	for (const {index, 1: specifier = ''} of text.matchAll(bare)) add(index, specifier, ['*']);
	for (const {index, 1: type, 2: specifier = '', 3: mode} of text.matchAll(dynamic)) {
		add(index, specifier, type || mode ? [] : ['*']);
	}
	return found.sort((a, b) => a.line - b.line);
}

/** Lines that import something and that {@link readImports} does not understand. */
export function unreadImports(file: string, text: string): string[] {
	const read = new Set(readImports(file, text).map(({line}) => line));
	return text.split('\n').flatMap((content, index) => {
		const imports = /^import\b|^export (type )?[{*].*\bfrom\b|\b(import|require)\((?!\))/.test(
			content,
		);
		return imports && !read.has(index + 1) ? [`src/${file}:${index + 1}: ${content}`] : [];
	});
}

function resolve(file: string, specifier: string): Pick<Import, 'target' | 'of'> {
	if (specifier.startsWith('.')) {
		return {of: 'us', target: posix.join(posix.dirname(file), specifier)};
	}
	return {of: isBuiltin(specifier) ? 'node' : 'package', target: specifier};
}

function namesOf(clause: string): string[] {
	const [, outside = '', inside = ''] = /^([^{]*)(?:\{([^}]*)\})?/.exec(clause) ?? [];
	const names = inside
		.split(',')
		.map((name) => name.trim().split(/\s+as\s+/)[0] ?? '')
		.filter((name) => name !== '' && !name.startsWith('type '));
	const whole = outside
		.split(',')
		.map((name) => name.trim())
		.filter((name) => name !== '')
		.map((name) => (name.startsWith('*') ? '*' : 'default'));
	return [...whole, ...names];
}
