/** Builds the page into dist/web/app, where the server takes it from. */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'src/web/app',
  // Links work below any path.
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../../../dist/web/app',
    emptyOutDir: true,
    // No script and no image may stand in the page itself: the policy of the server forbids the one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
