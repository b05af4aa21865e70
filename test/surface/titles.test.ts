/*
 * A failure is read in a list, without the file around it: each title is a whole sentence, in words that
 * a reader of RFCs and of axios knows.
 */
import {globSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Title {
	readonly path: string;
	readonly text: string;
}

/** The title of each `test(...)`, `test.each(...)(...)` and `test.for(...)(...)`. */
function titlesOf(path: string): Title[] {
	const source = readFileSync(`${root}${path}`, 'utf8');
	// Either directly after `test(`, or at the beginning of what a table is called with.
	const begin =
		/^\s*(?:(?:test|it)(?:\.\w+)*\(|(?:test|it)\.(?:each|for)\(.*\)\(|(?:\](?: as const)?|\})?\)\()\s*/gm;
	const quoted = /(['"`])((?:\\.|(?!\1)[^\\])*)\1/y;
	return [...source.matchAll(begin)].flatMap(({0: {length}, index}) => {
		quoted.lastIndex = index + length;
		const text = quoted.exec(source)?.[2];
		return text === undefined ? [] : [{path, text}];
	});
}

const paths = globSync('test/**/*.test.ts', {cwd: root}).sort();
const titles = paths.flatMap(titlesOf);

// A predicate, a clause or a preposition needs the text of a `describe` to be understood.
const middle =
	/^(that|which|whose|who|what it|it|they|them|and|nor|or|but|also|unless|though|with|without|is|are|was|were|has|have|had|does|do|in which|of|to|by|from|for|gives|goes|keeps|keep|leads|looks|makes|tells|takes|uses|waits|ends|holds|shows|sends|says|begins|refuses|finds|answers|stays|leaves)\b/;

// Words that the code once used for things with a name of their own.
const privateWords =
	/\b(nobody|strangers?|ledger|draft|lean|lawful|roster|(?:is|are|was|were|be|not) told|tells? (?:of|that|nobody)|dug|digs?|bent|sealed|of ours|believe[sd]?)\b/i;

test('every title begins a sentence of its own', () => {
	expect(titles.length).toBeGreaterThan(1_400);
	expect(titles.filter(({text}) => middle.test(text) || /^%[a-z]$/.test(text))).toEqual([]);
});

test('every title is written in common words', () => {
	expect(titles.filter(({text}) => privateWords.test(text))).toEqual([]);
});

test('every file has the name of its subject, in common words', () => {
	const names =
		/^(tell|parts|lifetime|patience|ending|stale|lean|roster|draft|lawful-jar|held-identity|material|notices|ledger|login-ledger|seal|foreign-agent|forward|dig|world|stranger|bend|bent-headers|limbo|parity-stage|prints|members|size|forge|names|try-it|legacy|end-of|at-exit|reach-proxy|refusal-page|percent|longest-delay)(\.\w+)*\.ts$/;
	const files = globSync('{src,test}/**/*.ts', {cwd: root});
	expect(files.length).toBeGreaterThan(300);
	expect(files.filter((path) => names.test(path.split('/').at(-1) ?? ''))).toEqual([]);
});
