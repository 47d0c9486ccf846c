// Whose keys foreign secrets are encrypted to: users and machines of the store, and those that are to be added.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "adopt/adopt.h"
#include "store/access.h"

namespace vmcred::adopt {

class Owners {
 public:
  /// Who is in the store already. `names`: what keys are called where nobody has them.
  static Result<Owners> of(const store::Repository& repository, std::map<std::string, KeyName> names);

  /// The links that let exactly these keys read. An owner of the store who has other keys as well would bring those
  /// along: then the key gets a user or machine of its own.
  store::Links links_for(const std::vector<std::string>& recipients);

  /// What has to be published for the links that were given out, and the names of those who are new.
  void add_to(Adoption& adoption) const;

 private:
  struct Owner {
    store::Kind kind = store::Kind::user;
    std::string name;
    std::vector<std::string> keys;
  };
  const Owner& made_for(const std::string& recipient);

  std::map<std::string, KeyName> names_;
  std::map<std::string, std::vector<Owner>> present_;  ///< by key
  std::map<std::string, Owner> made_;                  ///< by their only key
  std::set<std::pair<store::Kind, std::string>> taken_;
};

}  // namespace vmcred::adopt
