// The steps of a credential in words, from the data of the page.
'use strict';

const STEPS = ['generator', 'store', 'host', 'channel', 'guest', 'service'];
const HEADS = {
  generator: ['Generator', 'makes the value'], store: ['Store', 'keeps it encrypted'], host: ['Host', 'hands it to the unit'],
  channel: ['Channel', 'carries it in'], guest: ['Guest', 'systemd imports it'], service: ['Service', 'loads it'],
};
const RANK = ['fine', 'arrived', 'unknown', 'older', 'warning', 'broken'];
const LEVELS = ['note', 'warning', 'error'];

const bytes = (n) => `${n.toLocaleString('en')} byte${n === 1 ? '' : 's'}`;
const many = (n, one) => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`;
const listed = (names) => names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
const worst = (moods) => moods.reduce((a, b) => RANK.indexOf(b) > RANK.indexOf(a) ? b : a, 'fine');
const guestRule = (host) => host.replace(/^host-/, '').replaceAll('-', '_').toUpperCase();

/** {name, says, onward} of each step that the credential takes. */
const WORDS = {
  generator(c) {
    if (c.origin === 'static') return {name: 'static value', says: ['stands in the declaration, no secret']};
    return {
      name: c.generator,
      says: [`makes the file '${c.file}' (${c.owner})`, ...(c.made_from ? [`reads ${listed(c.made_from)}`] : [])],
      onward: 'vmcred vars generate',
    };
  },
  store(c) {
    let state = c.state || 'its state is not known';
    if (c.reasons) state += ` because ${listed(c.reasons)}`;
    if (c.due) state += ', due for rotation';
    if (c.made) state += `, made ${c.made.slice(0, 10)}`;
    if (c.size !== undefined) state += `, ${bytes(c.size)}`;
    const says = [state];
    if (c.plain) says.push('stored as plain text');
    if (c.readers) says.push(`read by ${listed(c.readers)}`);
    return {name: `vars/${c.var}`, says, onward: 'vmcred activate'};
  },
  host(c, vm, all) {
    if (c.origin === 'none') return {name: c.host, says: [`${vm.unit} loads nothing of that name`]};
    const says = [vm.unit, `LoadCredential=${c.host}:${c.source}`];
    if (c.origin === 'file') says.push(c.size === undefined ? 'not on this machine' : `${bytes(c.size)} on this machine`);
    else if (all.generation === null) says.push('nothing is activated on this machine');
    else says.push(c.activated ? `activated in generation ${all.generation}` : `not in generation ${all.generation}, which is activated here`);
    return {name: c.host, says, onward: 'base64, without a copy on disk or on a command line'};
  },
  channel(c, vm) {
    if (c.refused || !c.channel) return {name: c.channel || 'no channel', says: [c.refused || `${vm.hypervisor} cannot deliver it`]};
    const box = vm.containers[c.container];
    const says = [c.size === undefined ? `its size is not known; ${bytes(c.bytes_allowed)} are allowed` : `${c.bytes_used} of ${bytes(c.bytes_allowed)}`];
    if (box && box.allowed) says.push(`${box.name} in all: ${box.used} of ${bytes(box.allowed)}`);
    const form = c.origin === 'static' ? `io.systemd.credential:${c.guest}=…` : `io.systemd.credential.binary:${c.guest}=BASE64`;
    const onward = {
      smbios: `OEM string ${form}`, api: `OEM string ${form}`, fw_cfg: `opt/io.systemd.credentials/${c.guest}`,
      reference: 'fetched by vmcred-guest against a one-time token', initrd: `/.extra/system_credentials/${c.guest}.cred`,
    }[c.channel];
    return {name: box && box.name !== c.channel ? `${c.channel}, ${box.name}` : c.channel, says, onward};
  },
  guest(c, vm) {
    const says = [];
    if (c.host && guestRule(c.host) === c.guest) says.push(`'${c.host}' without its 'host-', '-' as '_', in upper case`);
    if (!c.received) says.push(vm.state ? 'the vm runs, no receipt names it' : 'the vm does not run here');
    else if (c.mood === 'older than the store') says.push(`older than the store: the guest holds a former value, ${bytes(c.received_size)}; generation ${vm.generation}`, `'vmcred vm refresh ${vm.vm}' brings the newer`);
    else if (c.mood === 'proven') says.push(`proven: received, ${bytes(c.received_size)}, byte for byte; generation ${vm.generation}`);
    else if (c.mood === 'arrived') says.push(`arrived: received, ${bytes(c.received_size)}, byte for byte; generation ${vm.generation}; that a service runs with it is not proven`);
    else says.push(`${c.received}, ${bytes(c.received_size)}`);
    if (c.received && vm.generation < vm.expected_generation) says.push(`the guest should hold generation ${vm.expected_generation}`);
    return {name: c.guest, says, onward: 'LoadCredential='};
  },
  service(c) {
    if (!c.services.length) {
      return c.guest.includes('.') ? {name: 'systemd', says: ['reads it by its well-known name']} : {name: 'nobody', says: ['no guest service loads it']};
    }
    const says = c.services.flatMap((s) => [`${s.service}.service: LoadCredential=${s.id}:${c.guest}, read at $CREDENTIALS_DIRECTORY/${s.id}`,
      ...(s.state ? [`${s.service}.service is ${s.state}`] : [])]);
    if (c.on_change === 'restart') says.push('restarted when it changes');
    if (c.on_change === 'reload') says.push('reloaded when it changes');
    if (c.on_change.startsWith('signal ')) says.push(`gets SIG${c.on_change.slice(7)} when it changes`);
    return {name: listed(c.services.map((s) => s.service)), says};
  },
};

const stepsOf = (c) => STEPS.filter((step) => c.steps[step]);
/** The mood of a whole chain; what cannot be known while the vm does not run here does not count. */
const moodOf = (c, vm) => worst(Object.values(c.steps).filter((mood) => vm.state || mood !== 'unknown'));
const stateOf = (vm) => !vm.state ? 'not running here' : `${vm.state}${vm.detail ? ` (${vm.detail})` : ''}, ${vm.mood === 'proven' ? 'every credential proven' : vm.mood}, generation ${vm.generation}`;

/** What the mood of a running vm is drawn as. */
const drawnAs = (vm) => !vm.state ? 'unknown' : {proven: 'fine', 'older than the store': 'older'}[vm.mood] || vm.mood;

/** The worst level among the findings of these numbers; '' for none. */
const levelOf = (numbers, all) => numbers.map((n) => all.findings[n].level).reduce((a, b) => LEVELS.indexOf(b) > LEVELS.indexOf(a) ? b : a, '');
const findingsOf = (vm) => [...new Set([...(vm.findings || []), ...vm.credentials.flatMap((c) => (c.findings || []).map((f) => f.finding))])];

/** Everything that the filter looks through, in lower case. */
function haystack(vm) {
  const words = [vm.vm, vm.machine, vm.hypervisor];
  for (const c of vm.credentials) words.push(c.name, c.guest, c.host || '', c.generator || '', c.file || '', ...c.services.map((s) => s.service));
  return words.join('\n').toLowerCase();
}
