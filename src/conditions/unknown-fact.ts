/**
 * Stands for a fact that only a plugin of Bolt's knows. Its value is unknown, and it overrides values from outer groups,
 * as the real one would.
 */
export const UNKNOWN_FACT: unique symbol = Symbol('a fact from a plugin');
