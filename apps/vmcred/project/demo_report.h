// What the demo saw, and how it says so: a table for people, one object for programs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/leak_scan.h"
#include "credential/plan.h"
#include "link/receipt.h"

namespace vmcred::app {

/// What was seen while the vm ran.
struct DemoSeen {
  std::string accel;
  std::chrono::milliseconds guest_running{0};
  std::chrono::milliseconds receipt_after{0};
  std::optional<link::Receipt> receipt = {};
  LeakReport leaks = {};
};

/// One row of the closing table.
struct DemoRow {
  std::string name;
  std::string host;
  std::string guest;
  std::string channel;
  std::size_t size = 0;
  bool received = false;
  bool matches = false;
  std::string state = "missing";
  std::string consumer = {};
};

/// What the plan says of each credential, and what the receipt does.
std::vector<DemoRow> demo_rows(const credential::Plan& plan, const std::optional<link::Receipt>& receipt);

Json demo_json(const std::vector<DemoRow>& rows, const DemoSeen& seen, std::string_view vm);
std::string demo_table(const std::vector<DemoRow>& rows, const DemoSeen& seen, bool color);

/// "5.31 s"
std::string shown_seconds(std::chrono::milliseconds time);

}  // namespace vmcred::app
