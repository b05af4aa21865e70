/*
 * An app that imports this package and requires it has two copies, of modules and of CommonJS, and so
 * has an app with two versions of it. What one copy makes, the other must recognise.
 */

/**
 * Makes `instanceof` hold for the instances of all copies of a class. A subclass has its own instances
 * only, as without this.
 *
 * @param name - That of the class, which is the same in each copy.
 */
export function recognizeCopies(type: abstract new (...args: never[]) => object, name: string) {
	const brand = Symbol.for(`axios-mtls.${name}`);
	const ordinary = Function.prototype[Symbol.hasInstance];
	Object.defineProperty(type.prototype, brand, {value: true});
	Object.defineProperty(type, Symbol.hasInstance, {
		value(this: unknown, value: unknown): boolean {
			if (this !== type) return ordinary.call(this as typeof type, value);
			return typeof value === 'object' && value !== null && brand in value;
		},
	});
}

/**
 * A map or a set that the copies share: the first one makes it. What it holds keeps its form from one
 * version to the next.
 */
export function sharedByCopies<T extends object>(name: string, make: () => T): T {
	const key = Symbol.for(`axios-mtls.${name}`);
	const known: T | undefined = Reflect.get(globalThis, key);
	if (known !== undefined) return known;
	const made = make();
	Object.defineProperty(globalThis, key, {value: made});
	return made;
}
