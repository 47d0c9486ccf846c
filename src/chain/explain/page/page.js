// The page: the list of vms, the filter, what is shown, and the keys.

const all = JSON.parse(document.getElementById('data').textContent);
const main = document.getElementById('main'), list = document.getElementById('vms'), filter = document.getElementById('filter');
const stacks = all.vms.map(haystack);
let shown = {vm: null, credential: null};
let redraw = () => {};

function foundBox(number) {
  const f = all.findings[number];
  const at = f.file ? f.file + (f.line ? `:${f.line}:${f.column}` : '') : '';
  return make('div', {class: `found ${f.level}`}, make('span', {class: `code ${f.level}`}, f.code), f.message,
    ...(f.details || []).map((line) => make('span', {class: 'help'}, line)),
    f.hint ? make('span', {class: 'help'}, f.hint) : '', make('span', {class: 'at'}, at));
}

/** One credential from step to step. */
function stepsList(c, vm) {
  return make('ol', {class: 'steps'}, ...stepsOf(c).map((step) => {
    const words = WORDS[step](c, vm, all), mood = c.steps[step];
    return make('li', {class: `step ${mood}`},
      make('p', {class: 'kind'}, dot(mood), HEADS[step][0], make('span', {class: 'unseen'}, `: ${mood}`)),
      make('p', {class: 'name'}, words.name),
      make('ul', null, ...words.says.map((line) => make('li', null, line))),
      ...marksAt(c, step).map(foundBox),
      words.onward ? make('p', {class: 'onward'}, words.onward) : '');
  }));
}

function title(name, meta, state, mood) {
  return make('div', {class: 'title'}, make('h2', null, name), make('span', {class: 'meta'}, meta), state ? make('span', {class: 'pill'}, dot(mood), state) : '');
}

function section(head, numbers) {
  return numbers && numbers.length ? make('section', {class: 'section'}, make('h3', null, head), ...numbers.map(foundBox)) : '';
}

function showAll() {
  main.replaceChildren(
    title('All vms', `${many(all.vms.length, 'vm')}, ${many(all.vms.reduce((sum, vm) => sum + vm.credentials.length, 0), 'credential')}`),
    make('ul', {class: 'tiles'}, ...all.vms.map((vm, i) => make('li', null, make('button', {type: 'button', class: 'tile', onclick: () => go(vm.vm)},
      make('span', {class: 'head'}, dot(moodOfVm(vm)), vm.vm, countOf(vm)),
      make('p', {class: 'meta'}, `${vm.machine} · ${vm.hypervisor}${vm.hardware ? ` ${vm.hardware}` : ''} · ${vm.state || 'not running here'}`),
      make('span', {class: 'beads', 'aria-label': many(vm.credentials.length, 'credential')}, ...vm.credentials.map((c) => dot(moodOf(c, vm)))))))),
    section('Findings that concern no vm', all.elsewhere));
  redraw = () => {};
  sift();
}

const moodOfVm = (vm) => {
  const level = levelOf(findingsOf(vm), all);
  return level === 'error' ? 'broken' : level === 'warning' ? 'warning' : worst(vm.credentials.map((c) => moodOf(c, vm)));
};
function countOf(vm) {
  const numbers = findingsOf(vm).filter((n) => all.findings[n].level !== 'note');
  return numbers.length ? make('span', {class: `count ${levelOf(numbers, all)}`, title: many(numbers.length, 'finding')}, String(numbers.length)) : '';
}

function showVm(vm, credential) {
  const follow = make('section', {class: 'follow', 'aria-live': 'polite'});
  const diagram = vm.credentials.length ? board(vm, all, (row) => go(vm.vm, shown.credential === vm.credentials[row].guest ? null : vm.credentials[row].guest)) : null;
  const phone = make('ul', {class: 'list'}, ...vm.credentials.map((c) => {
    const open = c.guest === credential;
    const marks = (c.findings || []).map((f) => f.finding);
    return make('li', null,
      make('button', {type: 'button', class: 'open', 'aria-expanded': String(open), onclick: () => go(vm.vm, open ? null : c.guest)},
        dot(moodOf(c, vm)), make('span', null, make('span', {class: 'name'}, c.guest), make('span', {class: 'what'}, `${c.origin === 'var' ? `${c.generator}/${c.file}` : c.source || c.host || 'static'} → ${c.services.map((s) => s.service).join(', ') || 'nobody'}`)), badge(marks, all)),
      open ? stepsList(c, vm) : '');
  }));
  const legend = make('p', {class: 'legend'}, ...[['fine', 'as it should be, proven'], ['arrived', 'arrived, not proven'], ['older', 'older than the store'], ['unknown', 'not known here'], ['warning', 'warning'], ['broken', 'broken']].map(([mood, text]) => make('span', null, dot(mood), text)));
  main.replaceChildren(
    title(vm.vm, `on ${vm.machine}: ${vm.hypervisor}${vm.hardware ? ` ${vm.hardware}` : ''}, guest systemd ${vm.guest_systemd}`, stateOf(vm), drawnAs(vm)),
    ...(diagram ? [diagram.element, legend] : [make('p', {class: 'faint'}, 'This vm has no credentials.')]), phone, follow,
    section('Findings of the vm itself', vm.findings));
  if (diagram) {
    redraw = diagram.draw;
    diagram.draw();
  }
  const row = vm.credentials.findIndex((c) => c.guest === credential);
  if (diagram) diagram.show(row < 0 ? [] : [row]);
  if (row < 0) follow.append(make('p', {class: 'faint'}, 'Choose a credential to follow it from step to step.'));
  else follow.append(make('h3', null, make('code', null, credential), make('small', null, 'from step to step; Escape lets go')), stepsList(vm.credentials[row], vm));
}

/** Shows a vm ('' for all of them) and perhaps one of its credentials; the address says which. */
function go(vm, credential) {
  const address = vm ? `#${encodeURIComponent(vm)}${credential ? `/${encodeURIComponent(credential)}` : ''}` : '#';
  const focused = document.activeElement, label = focused && main.contains(focused) ? focused.getAttribute('aria-label') || focused.textContent : null;
  if (location.hash !== address) history.replaceState(null, '', address);
  shown = {vm, credential: credential || null};
  const found = all.vms.find((each) => each.vm === vm);
  if (found) showVm(found, shown.credential);
  else showAll();
  for (const button of list.querySelectorAll('button')) button.setAttribute('aria-current', String(button.dataset.vm === (found ? vm : '')));
  // What was rebuilt keeps the focus that it had.
  if (label) [...main.querySelectorAll('button')].find((each) => (each.getAttribute('aria-label') || each.textContent) === label && each.offsetParent)?.focus({preventScroll: true});
}

function fromAddress() {
  const [vm, credential] = location.hash.slice(1).split('/').map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  go(all.vms.some((each) => each.vm === vm) ? vm : all.vms.length === 1 ? all.vms[0].vm : '', credential);
}

/** Hides what the filter does not match, in the list and among the tiles. */
function sift() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = stacks.map((text) => words.every((word) => text.includes(word)));
  const items = [...list.children], tiles = [...main.querySelectorAll('.tiles > li')];
  all.vms.forEach((vm, i) => {
    items[items.length - all.vms.length + i].hidden = !matches[i];
    if (tiles[i]) tiles[i].hidden = !matches[i];
  });
  document.getElementById('none').hidden = matches.includes(true);
}

function start() {
  document.getElementById('project').textContent = all.folder.split('/').pop() || all.folder;
  const errors = all.findings.filter((f) => f.level === 'error').length, warnings = all.findings.filter((f) => f.level === 'warning').length;
  document.getElementById('totals').append(...[
    many(all.vms.length, 'vm'), many(all.vms.reduce((sum, vm) => sum + vm.credentials.length, 0), 'credential'),
    errors + warnings ? [errors ? many(errors, 'error') : '', warnings ? many(warnings, 'warning') : ''].filter(Boolean).join(', ') : 'no findings',
  ].map((text) => make('span', null, text)));
  const entry = (vm, name, what, mark) => make('li', null, make('button', {type: 'button', 'data-vm': vm, onclick: () => go(vm)}, mark, make('span', {class: 'who'}, name), vm ? countOf(all.vms.find((each) => each.vm === vm)) : '', make('span', {class: 'what'}, what)));
  if (all.vms.length > 1) list.append(entry('', 'All vms', many(all.vms.length, 'vm'), make('span')));
  list.append(...all.vms.map((vm) => entry(vm.vm, vm.vm, `${many(vm.credentials.length, 'credential')} · ${vm.hypervisor}`, dot(moodOfVm(vm)))));
  filter.addEventListener('input', sift);
  filter.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') [...list.querySelectorAll('li:not([hidden]) button')].find((each) => each.dataset.vm)?.click();
  });
  list.addEventListener('keydown', (event) => {
    const step = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1}[event.key];
    const buttons = [...list.querySelectorAll('li:not([hidden]) button')], at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    buttons[(at + step + buttons.length) % buttons.length].focus();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== filter && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      filter.focus();
    } else if (event.key === 'Escape' && document.activeElement === filter) {
      filter.value = '';
      sift();
    } else if (event.key === 'Escape' && shown.credential) go(shown.vm);
  });
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let own = null;  // the reader's choice, where it is not the system's
  const system = () => dark.matches ? 'dark' : 'light';
  const paint = () => { document.documentElement.dataset.theme = own || system(); };
  dark.addEventListener('change', paint);
  document.getElementById('theme').addEventListener('click', () => {
    const other = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    own = other === system() ? null : other;
    paint();
  });
  paint();
  addEventListener('resize', () => redraw());
  addEventListener('hashchange', fromAddress);
  fromAddress();
}
start();
