// The text of nix/ inside the program (text.cc is made from those files when the build is configured).
#pragma once

#include <string_view>

namespace vmcred::nix {

extern const std::string_view kLib;               ///< nix/eval/lib.nix
extern const std::string_view kTypes;             ///< nix/eval/types.nix
extern const std::string_view kOptions;           ///< nix/eval/options.nix
extern const std::string_view kModules;           ///< nix/eval/modules.nix
extern const std::string_view kSchema;            ///< nix/eval/schema.nix
extern const std::string_view kPlaces;            ///< nix/eval/places.nix
extern const std::string_view kGuests;            ///< nix/eval/guests.nix
extern const std::string_view kPackages;          ///< nix/eval/packages.nix
extern const std::string_view kHardware;          ///< nix/eval/hardware.nix
extern const std::string_view kMain;              ///< nix/eval/main.nix
extern const std::string_view kGuestOf;           ///< nix/guest-of.nix
extern const std::string_view kDeclaration;       ///< nix/declaration.nix
extern const std::string_view kNixpkgs;           ///< nix/eval/nixpkgs.nix
extern const std::string_view kFlake;             ///< nix/eval/flake.nix
extern const std::string_view kHostModule;        ///< nix/modules/host.nix
extern const std::string_view kGuestModule;       ///< nix/modules/guest.nix
extern const std::string_view kGuestCredentials;  ///< nix/modules/guest-credentials.nix
extern const std::string_view kUnit;              ///< nix/modules/unit.nix
extern const std::string_view kOwnUser;           ///< nix/modules/own-user.nix
extern const std::string_view kWrapper;           ///< nix/modules/wrapper.nix
extern const std::string_view kVmOptions;         ///< nix/modules/options.nix
extern const std::string_view kNames;             ///< nix/modules/names.nix
extern const std::string_view kChecks;            ///< nix/modules/checks.nix
extern const std::string_view kClanOptions;       ///< nix/modules/clan-options.nix
extern const std::string_view kMicrovmOptions;    ///< nix/modules/microvm-options.nix

}  // namespace vmcred::nix
