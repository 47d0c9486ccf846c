// The chains of one vm as a diagram: boxes in six columns, and the ways between them.

const ROW = 50, BOX = 40, SVG = 'http://www.w3.org/2000/svg';

/** An element with its properties, children as elements or texts; names never become markup. */
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null) continue;
    if (key === 'class') element.className = value;
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}
const dot = (mood) => make('i', {class: `mood ${mood}`, 'aria-hidden': 'true'});

/** The code of the worst finding at a step, as a badge. */
function badge(marks, all) {
  if (!marks.length) return null;
  const level = levelOf(marks, all);
  if (level === 'note') return null;
  const first = marks.find((n) => all.findings[n].level === level);
  return make('span', {class: `code ${level}`}, all.findings[first].code);
}
const marksAt = (c, step) => (c.findings || []).filter((f) => f.step === step).map((f) => f.finding);

/** Boxes {column, top, height, chains, …} and ways {from, to, chain, y1, y2}. Rows are the credentials in their order. */
function layout(vm) {
  const boxes = [], rows = vm.credentials.length;
  const stacks = {channel: [], service: []};
  const shared = new Map();
  vm.credentials.forEach((c, row) => {
    const alone = (step, extra) => boxes.push({step, column: STEPS.indexOf(step), top: row * ROW, height: BOX, chains: [row], ...extra});
    if (c.origin === 'var') {
      const last = boxes.findLast((box) => box.step === 'generator');
      if (last && last.name === c.generator && last.chains.at(-1) === row - 1) {
        last.chains.push(row);
        last.height = (last.chains.length - 1) * ROW + BOX;
      } else alone('generator', {name: c.generator});
      alone('store', {name: c.file, sub: c.state});
    } else if (c.origin === 'static') alone('generator', {name: 'static value', fixed: true});
    if (c.host) alone('host', {name: c.host, sub: c.origin === 'file' ? c.source : ''});
    const into = (step, key, extra) => {
      if (!shared.has(step + key)) {
        const box = {step, column: STEPS.indexOf(step), chains: [], key, ...extra};
        shared.set(step + key, box);
        stacks[step].push(box);
      }
      shared.get(step + key).chains.push(row);
    };
    const box = vm.containers[c.container];
    into('channel', c.channel ? `${c.container}` : `none${row}`, {name: c.channel ? box.name === c.channel ? c.channel : `${c.channel}, ${box.name}` : 'no channel', container: c.channel ? box : null});
    alone('guest', {name: c.guest, primary: true});
    for (const s of c.services) into('service', s.service, {name: s.service, sub: s.state, state: s.state});
    if (!c.services.length) into('service', `none${row}`, {name: c.guest.includes('.') ? 'systemd' : 'nobody', fixed: true});
  });
  // Containers are as tall as what they carry; services stand in the middle of theirs, one below the other.
  let height = rows * ROW;
  let top = 0;
  for (const box of stacks.channel) {
    box.top = top;
    box.height = box.chains.length * ROW - ROW + BOX;
    top += box.chains.length * ROW;
  }
  const middle = (box) => box.chains.reduce((sum, row) => sum + row, 0) / box.chains.length * ROW;
  stacks.service.sort((a, b) => middle(a) - middle(b));
  const least = stacks.service.length * ROW;
  height = Math.max(height, least);
  let free = 0;
  stacks.service.forEach((box, i) => {
    box.height = BOX;
    box.top = Math.min(Math.max(middle(box), free), height - (stacks.service.length - i) * ROW);
    free = box.top + ROW;
  });
  boxes.push(...stacks.channel, ...stacks.service);
  return {boxes, height: height - ROW + BOX};
}

/** The ways of each chain, box to box; tall boxes are entered and left at the chain's own height. */
function waysOf(vm, boxes) {
  const ways = [];
  const level = (box, row) => {
    if (box.height <= BOX) return box.top + box.height / 2;
    return box.top + box.chains.indexOf(row) * ROW + BOX / 2;
  };
  vm.credentials.forEach((c, row) => {
    const mine = boxes.filter((box) => box.chains.includes(row)).sort((a, b) => a.column - b.column);
    let broken = false;
    for (let i = 0; i + 1 < mine.length; ++i) {
      if (mine[i].step === 'service') break;
      broken = broken || c.steps[mine[i].step] === 'broken';
      for (const to of mine.filter((box) => box.column === mine[i + 1].column)) ways.push({from: mine[i], to, row, broken, y1: level(mine[i], row), y2: level(to, row)});
    }
  });
  return ways;
}

function nodeOf(box, vm, all, choose) {
  const chains = box.chains.map((row) => vm.credentials[row]);
  const mood = box.state ? box.state === 'failed' ? 'broken' : 'fine' : worst(chains.map((c) => c.steps[box.step] || 'fine'));
  const marks = [...new Set(chains.flatMap((c) => marksAt(c, box.step)))];
  const tall = box.height > BOX || (box.container && box.container.allowed);
  const name = make('span', {class: 'text'}, make('span', {class: 'name', title: box.name}, box.name), box.sub ? make('span', {class: 'sub', title: box.sub}, box.sub) : '');
  const node = make('button', {
    type: 'button', class: `node ${mood}${tall ? ' tall' : ''}${box.fixed ? ' fixed' : ''}`, tabindex: box.primary ? '0' : '-1',
    'aria-pressed': box.primary ? 'false' : null,
    'aria-label': box.primary ? spoken(chains[0]) : `${HEADS[box.step][0]} ${box.name}`,
    onclick: () => choose(box.chains),
  });
  if (!tall) node.append(dot(mood), name);
  else {
    node.append(make('span', {class: 'row'}, dot(mood), name));
    if (box.container && box.container.allowed) {
      const fill = make('i', {class: box.container.used > box.container.allowed ? 'broken' : ''});
      fill.style.width = `${Math.min(100, 100 * box.container.used / box.container.allowed)}%`;
      node.append(make('span', {class: 'bar'}, fill));
      if (box.height > BOX) node.append(make('span', {class: 'sub'}, `${box.container.used.toLocaleString('en')} of ${bytes(box.container.allowed)}`));
    }
  }
  const code = badge(marks, all);
  if (code) node.append(code);
  return node;
}
const spoken = (c) => `${c.guest}: ${stepsOf(c).map((step) => `${step} ${c.steps[step]}`).join(', ')}`;

/** The board of a vm. `choose(row)` is called for a click that means one credential. */
function board(vm, all, choose) {
  const {boxes, height} = layout(vm);
  const ways = waysOf(vm, boxes);
  const stage = make('div', {class: 'stage'});
  stage.style.height = `${height}px`;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const paths = ways.map((way) => {
    const path = document.createElementNS(SVG, 'path');
    if (way.broken) path.setAttribute('class', 'broken');
    svg.append(path);
    return path;
  });
  stage.append(svg);
  const light = (rows) => {
    stage.classList.toggle('following', rows.length > 0);
    boxes.forEach((box) => box.node.classList.toggle('on', box.chains.some((row) => rows.includes(row))));
    paths.forEach((path, i) => path.classList.toggle('on', rows.includes(ways[i].row)));
  };
  let chosen = [];
  for (const box of boxes) {
    box.node = nodeOf(box, vm, all, (rows) => rows.length === 1 ? choose(rows[0]) : show(rows));
    box.node.addEventListener('mouseenter', () => light(box.chains));
    box.node.addEventListener('mouseleave', () => light(chosen));
    stage.append(box.node);
  }
  const show = (rows) => {
    chosen = rows;
    for (const box of boxes) if (box.primary) box.node.setAttribute('aria-pressed', String(rows.length === 1 && rows[0] === box.chains[0]));
    light(rows);
  };
  const draw = () => {
    const gap = parseFloat(getComputedStyle(stage).getPropertyValue('--gap')), column = (stage.clientWidth + gap) / STEPS.length;
    for (const box of boxes) Object.assign(box.node.style, {left: `${box.column * column}px`, width: `${column - gap}px`, top: `${box.top}px`, height: `${box.height}px`});
    ways.forEach((way, i) => {
      const x1 = way.from.column * column + column - gap, x2 = way.to.column * column, bend = Math.max(18, (x2 - x1) / 2);
      paths[i].setAttribute('d', `M${x1} ${way.y1}C${x1 + bend} ${way.y1} ${x2 - bend} ${way.y2} ${x2} ${way.y2}`);
    });
  };
  const primaries = boxes.filter((box) => box.primary).map((box) => box.node);
  stage.addEventListener('keydown', (event) => {
    const at = primaries.indexOf(document.activeElement);
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    primaries[(at + step + primaries.length) % primaries.length].focus();
  });
  const heads = make('div', {class: 'heads', 'aria-hidden': 'true'}, ...STEPS.map((step) => make('div', null, make('b', null, HEADS[step][0]), make('span', null, HEADS[step][1]))));
  return {element: make('div', {class: 'board'}, heads, stage), draw, show};
}
