# vmcred from its sources, or (`only_guest`, with pkgsStatic) the one static program that goes into guests.
{ lib, stdenv, cmake, ninja, pkg-config, bats, fmt, openssl, nlohmann_json, cli11, tomlplusplus, libyaml, re2, libseccomp
, only_guest ? false }:
stdenv.mkDerivation {
  pname = if only_guest then "vmcred-guest" else "vmcred";
  version = "0.1.0";
  src = lib.cleanSource ../.;

  nativeBuildInputs = [ cmake ninja pkg-config bats ];
  buildInputs = [ fmt openssl nlohmann_json cli11 tomlplusplus libyaml re2 libseccomp ];
  cmakeFlags = [ "-DCMAKE_BUILD_TYPE=Release" "-DVMCRED_TESTS=OFF" "-DVMCRED_STATIC=${if only_guest then "ON" else "OFF"}" ];
  ninjaFlags = [ (if only_guest then "vmcred-guest" else "vmcred") ];

  installPhase = ''
    runHook preInstall
    install -Dm755 bin/${if only_guest then "vmcred-guest" else "vmcred"} -t $out/bin
    runHook postInstall
  '';

  meta = {
    description = "Carries secrets from a host into its microVMs, and proves that they arrived";
    license = lib.licenses.asl20;
    mainProgram = if only_guest then "vmcred-guest" else "vmcred";
    platforms = lib.platforms.linux;
  };
}
