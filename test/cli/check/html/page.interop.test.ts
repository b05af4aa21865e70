/*
 * The page of `check --html`, in the browser that people open it with: what it draws, not what its
 * text says.
 */
import {execFile} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {inflateSync} from 'node:zlib';
import {expect, onTestFinished, type TestContext, test} from 'vitest';
import {run} from '../../../../src/cli/run.ts';
import {
	type CertificateOptions,
	createTestPki,
	startMtlsServer,
} from '../../../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../../../support/fake-io.ts';
import {needs} from '../../../support/servers/programs.ts';

// A browser takes its time to start on a machine that runs all the other tests.
const timeout = 60_000;

const cases: readonly {
	readonly title: string;
	readonly options: CertificateOptions;
	readonly code: number;
	readonly texts: readonly string[];
}[] = [
	{
		title: 'a handshake that went well',
		options: {},
		code: 0,
		texts: ['The server is who it says it is', 'trusted here', 'without it, the server refuses us'],
	},
	{
		title: 'a server that has expired and has another name',
		options: {expired: true, names: ['bank.example']},
		code: 1,
		texts: ['Likely causes', 'What to do:', 'expired 1 day ago', 'not for localhost but for'],
	},
];

for (const {title, options, code, texts} of cases) {
	test(`Chromium draws the page of ${title}, in light and in dark`, {timeout}, async (context) => {
		const browser = openBrowser(context);
		const page = await checkedPage(options, code);

		const {dom, ...light} = await browser.draw(page, 'light');
		const dark = await browser.draw(page, 'dark');
		const shown = dom.replace(/<style>[\s\S]*?<\/style>/, '');
		for (const text of ['Step by step', 'The chain', 'today, ', 'localhost', ...texts]) {
			expect(shown).toContain(text);
		}
		expect(shown.match(/<li class="link /g)).toHaveLength(3);
		expect(shown.match(/<div class="span /g)).toHaveLength(3);

		for (const {colors, width} of [light, dark]) {
			expect(width).toBe(900);
			// A blank page has one.
			expect(colors.size).toBeGreaterThan(50);
		}
		expect(light.brightness).toBeGreaterThan(200);
		expect(dark.brightness).toBeLessThan(80);
	});
}

test('a window of 320 to 1280 pixels shows the page whole, with its chain and its timeline', {
	timeout,
}, async (context) => {
	const browser = openBrowser(context);
	const page = await checkedPage(
		{names: [`${'long-name-'.repeat(6)}.example`, 'a.example', 'b.example', 'localhost']},
		0,
	);
	const widths = [320, 390, 768, 1280];

	const measures = await browser.measure(page, widths);

	expect(measures.map(({window}) => window)).toEqual(widths);
	for (const {window, page: whole, parts, cut} of measures) {
		expect(whole).toBeLessThanOrEqual(window);
		expect(parts).toBeGreaterThan(20);
		expect(cut).toEqual([]);
	}
});

/** A page that `check` wrote about a real server. */
async function checkedPage(options: CertificateOptions, code: number): Promise<string> {
	const dir = tempDir();
	onTestFinished(() => dir[Symbol.dispose]());
	const pki = await createTestPki();
	const intermediate = await pki.intermediate();
	await using server = await startMtlsServer({pki, credential: await intermediate.server(options)});
	const io = fakeIo();
	const argv = ['check', server.url('/whoami'), ...(await identityOptions(dir, pki))];
	expect(await run([...argv, '--html', dir.at('page.html')], io)).toBe(code);
	return dir.at('page.html');
}

interface Browser {
	draw(page: string, scheme: 'light' | 'dark'): Promise<Drawing>;
	/** The page in a window of each width. */
	measure(page: string, widths: readonly number[]): Promise<readonly Measures[]>;
}

/** In pixels. */
interface Measures {
	readonly window: number;
	/** The width that the page needs. */
	readonly page: number;
	/** How many elements were measured. */
	readonly parts: number;
	/** Elements that end right of the window. */
	readonly cut: readonly string[];
}

// Headless Chromium knows no window narrower than 500, but a frame may be.
const frames = (page: string, widths: readonly number[]) => `<!doctype html>
${widths.map((width) => `<iframe src="${page}" style="border: 0; width: ${width}px; height: 3000px"></iframe>`).join('\n')}
<script>
addEventListener('load', () => {
	const measures = [...document.querySelectorAll('iframe')].map((frame) => {
		const {documentElement: root, body} = frame.contentDocument;
		const window = frame.contentWindow.innerWidth;
		const elements = [...body.querySelectorAll('*')];
		const cut = elements.filter((each) => each.getBoundingClientRect().right > window + .5);
		return {
			window,
			page: root.scrollWidth,
			parts: elements.length,
			cut: cut.map(({outerHTML}) => outerHTML.slice(0, 200)),
		};
	});
	document.title = JSON.stringify(measures);
});
</script>`;

/** Chromium without a window, with a profile of its own that ends with the test. */
function openBrowser(context: TestContext): Browser {
	const path = needs(context, 'chromium', 'chromium-browser', 'google-chrome');
	const dir = mkdtempSync(join(tmpdir(), 'axios-mtls-chromium-'));
	onTestFinished(() => rmSync(dir, {recursive: true, force: true, maxRetries: 5}));
	const profile = () => mkdtempSync(join(dir, 'profile-'));
	const start = async (page: string, ...flags: readonly string[]) => {
		const {stdout} = await promisify(execFile)(
			path,
			[
				'--headless',
				'--no-sandbox',
				'--disable-gpu',
				'--disable-quic',
				'--no-first-run',
				'--disable-background-networking',
				'--disable-component-update',
				'--disable-sync',
				`--user-data-dir=${profile()}`,
				...flags,
				pathToFileURL(page).href,
			],
			{timeout: timeout / 2, maxBuffer: 2 ** 24},
		);
		return stdout;
	};
	return {
		async measure(page, widths) {
			const path = join(dir, 'frames.html');
			writeFileSync(path, frames(pathToFileURL(page).href, widths));
			const dom = await start(path, '--dump-dom', '--allow-file-access-from-files');
			const measures = /<title>(.*?)<\/title>/s.exec(dom)?.[1] ?? '[]';
			return JSON.parse(
				measures.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
			);
		},
		async draw(page, scheme) {
			const png = join(dir, `${scheme}.png`);
			const dom = await start(
				page,
				'--dump-dom',
				`--screenshot=${png}`,
				'--window-size=900,1600',
				'--hide-scrollbars',
				// 0 is dark and 1 is light (blink::mojom::PreferredColorScheme).
				`--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
			);
			return {dom, ...readPng(readFileSync(png))};
		},
	};
}

interface Drawing extends Picture {
	/** The document as the browser has understood it. */
	readonly dom: string;
}

interface Picture {
	readonly width: number;
	readonly colors: ReadonlySet<number>;
	/** Mean of all pixels, 0 to 255. */
	readonly brightness: number;
}

/** Decodes a screenshot: eight bits a channel, RGB or RGBA, not interlaced (PNG §4, §9). */
function readPng(png: Buffer): Picture {
	const width = png.readUInt32BE(16);
	const height = png.readUInt32BE(20);
	const channels = png[25] === 6 ? 4 : 3;
	const parts: Buffer[] = [];
	for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
		const type = png.toString('latin1', at + 4, at + 8);
		if (type === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
	}
	const raw = inflateSync(Buffer.concat(parts));
	const stride = width * channels;
	const colors = new Set<number>();
	let sum = 0;
	let above = Buffer.alloc(stride);
	for (let y = 0; y < height; y++) {
		const start = y * (stride + 1);
		const line = Buffer.from(raw.subarray(start + 1, start + 1 + stride));
		unfilter(line, above, raw[start] ?? 0, channels);
		for (let x = 0; x < stride; x += channels) {
			const color = line.readUIntBE(x, 3);
			colors.add(color);
			sum += ((line[x] ?? 0) + (line[x + 1] ?? 0) + (line[x + 2] ?? 0)) / 3;
		}
		above = line;
	}
	return {width, colors, brightness: sum / (width * height)};
}

function unfilter(line: Buffer, above: Buffer, filter: number, channels: number): void {
	for (let x = 0; x < line.length; x++) {
		const left = x < channels ? 0 : (line[x - channels] ?? 0);
		const up = above[x] ?? 0;
		const corner = x < channels ? 0 : (above[x - channels] ?? 0);
		const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
		line[x] = ((line[x] ?? 0) + guess) & 0xff;
	}
}

function paeth(left: number, up: number, corner: number): number {
	const estimate = left + up - corner;
	const [a, b, c] = [left, up, corner].map((it) => Math.abs(estimate - it)) as [
		number,
		number,
		number,
	];
	if (a <= b && a <= c) return left;
	return b <= c ? up : corner;
}
