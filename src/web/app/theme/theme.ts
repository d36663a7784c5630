/** Mantine with kick's own palette; the rest of the looks are in the style sheets beside this. */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const INK: MantineColorsTuple = [
  '#eff1fc',
  '#dfe2f7',
  '#bcc2ec',
  '#969fe1',
  '#7680d7',
  '#5f69cd',
  '#4c55c0',
  '#3f46ae',
  '#353b97',
  '#2b307c',
];

const RED: MantineColorsTuple = [
  '#fdeeed',
  '#f9dcda',
  '#f0b5b1',
  '#e78b85',
  '#dd655d',
  '#cf4a41',
  '#bd3730',
  '#a42c26',
  '#8b251f',
  '#701c18',
];

export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 7, dark: 6 },
  colors: { ink: INK, red: RED },
  fontFamily:
    '"Inter Variable", Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace',
  defaultRadius: 'md',
  respectReducedMotion: true,
  cursorType: 'pointer',
  focusRing: 'auto',
  components: {
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, multiline: true, maw: 360 } },
    Drawer: { defaultProps: { transitionProps: { duration: 120 } } },
    Modal: { defaultProps: { transitionProps: { duration: 120 }, centered: true } },
  },
});
