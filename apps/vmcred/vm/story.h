// What a vm that runs in the foreground tells: its story for the journal, its console for whoever asked for it.
#pragma once

#include "command.h"
#include "declare/model.h"
#include "supervise/supervisor.h"

namespace vmcred::app {

/// Tells the story of a vm, one line a chapter, without values and lengths: this is what the journal keeps.
class Story final : public supervise::Observer {
 public:
  Story(const World& world, const declare::Vm& vm, bool console) : world_(world), vm_(vm), console_(console) {}
  ~Story() override { print_held(); }
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;
  Story(Story&&) = delete;
  Story& operator=(Story&&) = delete;
  supervise::Wish on_event(const supervise::Event& event) override;
  supervise::Wish on_console(std::string_view bytes) override;
  /// As the last event told it.
  [[nodiscard]] const supervise::Status& last() const { return last_; }

 private:
  void tell(const supervise::Event& event, const std::string& text) const;
  void tell_always(const std::string& text) const;
  void print_held();
  const World& world_;
  const declare::Vm& vm_;
  bool console_;
  supervise::Status last_ = {};
  std::string held_ = {};  ///< a line of the console that has not ended: none of ours may fall into it
};

/// "vm 'v' was stopped, but its guest did not power off cleanly: …"
std::string unclean_stop(const declare::Vm& vm, const supervise::Outcome& outcome);

/// Secrets can reach a disk through swap, unless our unit has none.
void warn_about_swap(const World& world);

}  // namespace vmcred::app
