#include "generate/line_editor.h"

#include <algorithm>
#include <cstring>

namespace vmcred::generate {
namespace {

constexpr unsigned char kEscape = 0x1b;
constexpr unsigned char kBackspace = 0x7f;
constexpr unsigned char control_key(char letter) { return static_cast<unsigned char>(letter & 0x1f); }

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

}  // namespace

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    std::size_t length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    length = std::min(length, text.size() - i);
    std::uint32_t point = length == 1 ? byte : byte & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) point = (point << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    i += length;
    const bool combining = (point >= 0x300 && point < 0x370) || point == 0x200d || (point >= 0xfe00 && point < 0xfe10);
    const bool wide = (point >= 0x1100 && point < 0x1160) || (point >= 0x2e80 && point < 0xa4d0) ||
                      (point >= 0xac00 && point < 0xd7a4) || (point >= 0xf900 && point < 0xfb00) ||
                      (point >= 0xfe30 && point < 0xfe70) || (point >= 0xff00 && point < 0xff61) ||
                      (point >= 0x1f300 && point < 0x1f650) || (point >= 0x1f900 && point < 0x1fa00) ||
                      point >= 0x20000;
    count += combining ? 0 : wide ? 2 : 1;
  }
  return count;
}

std::size_t LineEditor::line_start() const {
  const std::size_t newline = text_.text().substr(0, cursor_).rfind('\n');
  return newline == std::string_view::npos ? 0 : newline + 1;
}

std::string_view LineEditor::current_line() const {
  const std::size_t start = line_start();
  return text_.text().substr(0, used_).substr(start);
}

std::size_t LineEditor::before(std::size_t place) const {
  if (place == line_start()) return place;
  do --place;
  while (place > 0 && continues(text_.text()[place]));
  return place;
}

std::size_t LineEditor::behind(std::size_t place) const {
  if (place == used_) return place;
  do ++place;
  while (place < used_ && continues(text_.text()[place]));
  return place;
}

void LineEditor::insert(std::string_view bytes) {
  if (used_ + bytes.size() > text_.size()) return refuse();
  std::uint8_t* data = text_.writable().data();
  std::memmove(data + cursor_ + bytes.size(), data + cursor_, used_ - cursor_);
  std::memcpy(data + cursor_, bytes.data(), bytes.size());
  used_ += bytes.size();
  cursor_ += bytes.size();
}

void LineEditor::erase(std::size_t begin, std::size_t end) {
  if (begin == end) return;
  std::uint8_t* data = text_.writable().data();
  std::memmove(data + begin, data + end, used_ - end);
  used_ -= end - begin;
  wipe(text_.writable().subspan(used_, end - begin));
  cursor_ = begin;
}

LineEditor::State LineEditor::control(unsigned char byte) {
  const bool newline = byte == '\r' || byte == '\n';
  if (newline && (multiline_ || pasting_)) {
    if (!multiline_) {
      refuse();  // a paste of several lines into one: its first line end must not send it
    } else {
      cursor_ = used_;
      insert("\n");
      new_line_ = true;
    }
    return State::typing;
  }
  if (newline) return State::done;
  if (byte == '\t') {
    insert("\t");
    return State::typing;
  }
  if (pasting_) {
    refuse();
    return State::typing;
  }
  switch (byte) {
    case control_key('c'):
      return State::given_up;
    case control_key('d'):
      if (multiline_) return State::done;
      if (used_ == 0) return State::given_up;
      erase(cursor_, behind(cursor_));
      break;
    case kBackspace:
    case control_key('h'): {
      const std::size_t end = cursor_;
      joined_ = end > 0 && end == line_start();
      erase(joined_ ? end - 1 : before(end), end);
      break;
    }
    case control_key('a'):
      cursor_ = line_start();
      break;
    case control_key('e'):
      cursor_ = used_;
      break;
    case control_key('b'):
      cursor_ = before(cursor_);
      break;
    case control_key('f'):
      cursor_ = behind(cursor_);
      break;
    case control_key('u'):
      erase(line_start(), cursor_);
      break;
    case control_key('k'):
      erase(cursor_, used_);
      break;
    case control_key('w'): {
      std::size_t begin = cursor_;
      const std::string_view text = text_.text();
      while (begin > line_start() && text[begin - 1] == ' ') --begin;
      while (begin > line_start() && text[begin - 1] != ' ') --begin;
      erase(begin, cursor_);
      break;
    }
    default:
      refuse();
  }
  return State::typing;
}

void LineEditor::sequence(std::string_view text) {
  if (text == "[200~")
    pasting_ = true;
  else if (text == "[201~")
    pasting_ = false;
  else if (pasting_)
    refuse();
  else if (text == "[D" || text == "OD")
    cursor_ = before(cursor_);
  else if (text == "[C" || text == "OC")
    cursor_ = behind(cursor_);
  else if (text == "[H" || text == "OH" || text == "[1~" || text == "[7~")
    cursor_ = line_start();
  else if (text == "[F" || text == "OF" || text == "[4~" || text == "[8~")
    cursor_ = used_;
  else if (text == "[3~")
    erase(cursor_, behind(cursor_));
  else
    refuse();
}

LineEditor::State LineEditor::feed(unsigned char byte) {
  if (mode_ == Mode::escape) {
    pending_.assign(1, static_cast<char>(byte));
    mode_ = byte == '[' || byte == 'O' ? Mode::sequence : Mode::plain;
    if (mode_ == Mode::plain) refuse();
    return State::typing;
  }
  if (mode_ == Mode::sequence) {
    pending_ += static_cast<char>(byte);
    constexpr std::size_t kLongest = 16;
    if ((byte >= 0x40 && byte <= 0x7e) || pending_.size() > kLongest) {
      mode_ = Mode::plain;
      sequence(pending_);
    }
    return State::typing;
  }
  if (have_ != 0) {
    if (!continues(static_cast<char>(byte))) {
      have_ = 0;
      refuse();
    } else {
      character_[have_++] = static_cast<char>(byte);
      if (have_ == need_) {
        insert({character_, have_});
        wipe({reinterpret_cast<std::uint8_t*>(character_), sizeof character_});  // NOLINT
        have_ = 0;
      }
      return State::typing;
    }
  }
  if (byte == kEscape) {
    mode_ = Mode::escape;
  } else if (byte < 0x20 || byte == kBackspace) {
    return control(byte);
  } else if (byte < 0x80) {
    const char character = static_cast<char>(byte);
    insert({&character, 1});
  } else if (byte >= 0xc2 && byte <= 0xf4) {
    character_[0] = static_cast<char>(byte);
    have_ = 1;
    need_ = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
  } else {
    refuse();
  }
  return State::typing;
}

Secret LineEditor::take() {
  Secret answer = std::move(text_);
  answer.shrink_to(used_);
  used_ = 0;
  cursor_ = 0;
  return answer;
}

}  // namespace vmcred::generate
