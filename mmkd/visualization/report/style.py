"""How the page looks, by day and by night. Ours."""

_LIGHT = {
    'paper': '#ffffff',
    'raised': '#f6f7f9',
    'ink': '#1c2128',
    'soft': '#57606a',
    'grid': '#d5dae0',
    'accent': '#3b6fd4',
    'on-accent': '#ffffff',
    'right': '#1a7f37',
    'wrong': '#c0262d',
    's0': '#1f6fc0',
    's1': '#c2490a',
    's2': '#0b7f5c',
    's3': '#8a3fb0',
    's4': '#946800',
    's5': '#0a7f99',
    's6': '#b5306f',
    's7': '#5b6673',
}
_DARK = {
    'paper': '#14181f',
    'raised': '#1d232c',
    'ink': '#e4e8ee',
    'soft': '#a3adba',
    'grid': '#39424e',
    'accent': '#3b6fd4',
    'on-accent': '#ffffff',
    'right': '#4ac26b',
    'wrong': '#ff7b72',
    's0': '#6cb0ff',
    's1': '#ff9d5c',
    's2': '#45cfa0',
    's3': '#cf9bff',
    's4': '#e0b03c',
    's5': '#4fcfe0',
    's6': '#ff86bd',
    's7': '#a9b4c0',
}

_RULES = """
* { box-sizing: border-box; }
html { color-scheme: light dark; scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
a { color: var(--s0); }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
header { padding: 2rem clamp(1rem, 4vw, 3rem) 1.2rem; background: var(--raised);
  border-bottom: 1px solid var(--grid); }
header h1 { margin: 0 0 .3rem; font-size: 1.9rem; line-height: 1.2;
  overflow-wrap: anywhere; }
header p { margin: .2rem 0; color: var(--soft); max-width: 75ch; }
.columns { display: grid; grid-template-columns: 13.5rem minmax(0, 1fr); }
nav { padding: 1.5rem 1rem 1.5rem clamp(1rem, 2vw, 2rem); }
nav ol { position: sticky; top: 1.2rem; list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .28rem .6rem; border-radius: 5px; font-size: .93rem;
  color: var(--soft); text-decoration: none; }
nav a:hover, nav a:focus-visible { background: var(--raised); color: var(--ink); }
main { padding: .5rem clamp(1rem, 3vw, 3rem) 4rem 1rem; max-width: 84rem; }
section { padding-top: 1.4rem; }
section + section { border-top: 1px solid var(--grid); margin-top: 2.2rem; }
h2 { margin: .4rem 0 .4rem; font-size: 1.4rem; }
h3 { margin: 1.6rem 0 .3rem; font-size: 1.1rem; }
h4 { margin: 0; font-size: .95rem; font-weight: 600; overflow-wrap: break-word; }
main p { max-width: 78ch; margin: .4rem 0 .8rem; }
code { font: .88em ui-monospace, 'SF Mono', Menlo, Consolas, monospace;
  background: var(--raised); padding: .1em .3em; border-radius: 4px;
  overflow-wrap: break-word; }
.absent { color: var(--soft); border-left: 3px solid var(--grid);
  padding: .3rem .9rem; }
.cards { display: grid; gap: 1rem; margin: 1rem 0 1.4rem; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); list-style: none; }
.cards li { background: var(--raised); border: 1px solid var(--grid);
  border-radius: 8px; padding: .8rem 1rem; }
.cards b { display: block; font-size: 1.7rem; line-height: 1.2; font-weight: 650;
  font-variant-numeric: tabular-nums; }
.cards span { color: var(--soft); font-size: .88rem; overflow-wrap: break-word; }
.wide { overflow-x: auto; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; font-size: .9rem; min-width: 60%; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--grid); }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.grid > .absent { margin: 0; align-self: start; }
.grid { display: grid; gap: 1.2rem; margin: 1rem 0 1.4rem;
  grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); }
.grid.large { grid-template-columns: repeat(auto-fill, minmax(min(27rem, 100%), 1fr)); }
figure { margin: 0; min-width: 0; background: var(--raised); padding: .8rem .9rem;
  border: 1px solid var(--grid); border-radius: 8px; }
.caption { color: var(--soft); font-size: .82rem; margin: .3rem 0 0; }
.chart { display: block; width: 100%; height: auto; margin-top: .4rem;
  font-family: inherit; }
.chart * { stroke-linejoin: round; stroke-linecap: butt; }
.chart image { image-rendering: pixelated; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem .9rem; list-style: none;
  margin: .2rem 0 0; padding: 0; font-size: .82rem; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: .35rem; min-width: 0;
  overflow-wrap: anywhere; }
.swatch { width: 18px; height: 10px; flex: none; }
.row { display: grid; gap: .7rem; align-items: start; margin: .5rem 0 1.1rem;
  grid-template-columns: repeat(auto-fill, minmax(6.4rem, 1fr)); }
.clip { margin: 0; font-size: .8rem; line-height: 1.3; background: none; border: 0;
  padding: 0; color: var(--soft); overflow-wrap: break-word; }
.clip img { display: block; width: 100%; height: auto; border-radius: 6px;
  border: 3px solid var(--grid); background: var(--raised); margin-bottom: .25rem; }
.clip.right img { border-color: var(--right); }
.clip.wrong img { border-color: var(--wrong); border-style: dashed; }
.clip b { font-weight: 600; color: var(--ink); }
.right b { color: var(--right); }
.wrong b { color: var(--wrong); }
.parts { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr);
  gap: .25rem .8rem; align-items: center; margin: .3rem 0 1rem; font-size: .85rem;
  color: var(--soft); }
.parts img { display: block; width: 100%; height: auto; border-radius: 4px;
  max-width: 54rem; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--soft); padding: .2rem 0; }
footer { color: var(--soft); font-size: .85rem; padding: 1.5rem clamp(1rem, 4vw, 3rem);
  border-top: 1px solid var(--grid); }
:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
@media (max-width: 56rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  nav { padding: .8rem 1rem 0; }
  nav ol { display: flex; flex-wrap: wrap; position: static; }
  main { padding: .5rem 1rem 3rem; }
  .parts { grid-template-columns: minmax(0, 1fr); }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print { nav { display: none; } .columns { display: block; } }
"""


def style() -> str:
    """Return the style sheet of the page."""
    light, dark = (
        ''.join(f'--{name}: {value};' for name, value in colours.items())
        for colours in (_LIGHT, _DARK)
    )
    night = f'@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}'
    return f':root {{ {light} }}\n{night}\n{_RULES}'
