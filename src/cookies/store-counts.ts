/**
 * The field by which a store tells how many cookies it has, by domain, as far as it has seen when it
 * was last read: who stores one need not list them all to know whether they are too many.
 */
export const storeCounts: unique symbol = Symbol('axios-mtls.storeCounts');

export type CookieCounts = ReadonlyMap<string, number>;
