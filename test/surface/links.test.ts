import {existsSync} from 'node:fs';
import {posix} from 'node:path';
import {expect, test} from 'vitest';
import {anchorsOf, documents, linksOf} from './documents.ts';

const root = new URL('../../', import.meta.url);

function problemWith(from: string, target: string): string | undefined {
	// Nothing beyond this machine is asked.
	if (/^https?:/.test(target)) return undefined;
	const [path = '', anchor] = target.split('#');
	const file = path === '' ? from : posix.join(posix.dirname(from), path);
	if (!existsSync(new URL(file, root))) return 'no such file';
	if (anchor === undefined) return undefined;
	const document = documents.find((one) => one.path === file);
	return document && anchorsOf(document).has(anchor) ? undefined : 'no such heading';
}

test.each(documents)('every link and picture of $path leads somewhere', (document) => {
	const broken = linksOf(document).flatMap(({target, line}) => {
		const problem = problemWith(document.path, target);
		return problem === undefined ? [] : [`${document.path}:${line} ${target}: ${problem}`];
	});
	expect(broken).toEqual([]);
});

test('a link to a file or a heading that is not there is found', () => {
	expect(problemWith('docs/cli.md', 'nothing.md')).toBe('no such file');
	expect(problemWith('docs/cookies.md', '#nothing')).toBe('no such heading');
	expect(problemWith('docs/cookies.md', 'login.md#nothing')).toBe('no such heading');
	expect(problemWith('docs/cookies.md', '#xsrf')).toBeUndefined();
	expect(problemWith('docs/migrating/curl.md', '../cookies.md#xsrf')).toBeUndefined();
});

test('the table of contents and the README lead to every page', () => {
	const targets = (path: string) =>
		documents
			.filter((document) => document.path === path)
			.flatMap((document) => linksOf(document))
			.map(({target}) => posix.join(posix.dirname(path), target.split('#')[0] ?? ''));
	const pages = documents.map(({path}) => path).filter((path) => path.startsWith('docs/'));
	expect(pages.length).toBeGreaterThan(10);
	const contents = [...targets('docs/README.md'), 'docs/README.md'];
	expect(pages.filter((page) => !contents.includes(page))).toEqual([]);
	expect(pages.filter((page) => !targets('README.md').includes(page))).toEqual([]);
});

test('the README has at most 150 lines', () => {
	const readme = documents.find(({path}) => path === 'README.md');
	expect(readme?.text.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});
