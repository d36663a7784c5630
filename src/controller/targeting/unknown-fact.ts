/**
 * In place of a fact that only a plugin of Bolt's knows: nothing can be said of it, and it hides what a group further out
 * says, as the true one would.
 */
export const UNKNOWN_FACT: unique symbol = Symbol('a fact from a plugin');
