// The keys of cloud-hypervisor's options (v53.0, vmm/src/config.rs) with their names in its API.
#pragma once

#include <cstdint>
#include <string_view>

namespace vmcred::vmm::cloud_hypervisor {

enum class Kind : std::uint8_t { text, number, size, boolean, image };

/// One key of an option's list, with its name in the API.
struct Key {
  std::string_view option;
  std::string_view api;
  Kind kind;
};

inline constexpr Key kCpus[] = {{"boot", "boot_vcpus", Kind::number},
                                {"max", "max_vcpus", Kind::number},
                                {"max_phys_bits", "max_phys_bits", Kind::number},
                                {"kvm_hyperv", "kvm_hyperv", Kind::boolean},
                                {"nested", "nested", Kind::boolean}};
inline constexpr Key kMemory[] = {{"size", "size", Kind::size},
                                  {"mergeable", "mergeable", Kind::boolean},
                                  {"shared", "shared", Kind::boolean},
                                  {"hugepages", "hugepages", Kind::boolean},
                                  {"hugepage_size", "hugepage_size", Kind::size},
                                  {"prefault", "prefault", Kind::boolean},
                                  {"reserve", "reserve", Kind::boolean},
                                  {"thp", "thp", Kind::boolean},
                                  {"hotplug_method", "hotplug_method", Kind::text},
                                  {"hotplug_size", "hotplug_size", Kind::size},
                                  {"hotplugged_size", "hotplugged_size", Kind::size}};
inline constexpr Key kDisk[] = {{"path", "path", Kind::text},
                                {"readonly", "readonly", Kind::boolean},
                                {"direct", "direct", Kind::boolean},
                                {"iommu", "iommu", Kind::boolean},
                                {"num_queues", "num_queues", Kind::number},
                                {"queue_size", "queue_size", Kind::number},
                                {"id", "id", Kind::text},
                                {"serial", "serial", Kind::text},
                                {"vhost_user", "vhost_user", Kind::boolean},
                                {"socket", "vhost_socket", Kind::text},
                                {"pci_segment", "pci_segment", Kind::number},
                                {"backing_files", "backing_files", Kind::boolean},
                                {"sparse", "sparse", Kind::boolean},
                                {"image_type", "image_type", Kind::image}};
inline constexpr Key kNet[] = {{"tap", "tap", Kind::text},
                               {"ip", "ip", Kind::text},
                               {"mask", "mask", Kind::text},
                               {"mac", "mac", Kind::text},
                               {"host_mac", "host_mac", Kind::text},
                               {"mtu", "mtu", Kind::number},
                               {"iommu", "iommu", Kind::boolean},
                               {"num_queues", "num_queues", Kind::number},
                               {"queue_size", "queue_size", Kind::number},
                               {"vhost_user", "vhost_user", Kind::boolean},
                               {"socket", "vhost_socket", Kind::text},
                               {"id", "id", Kind::text},
                               {"pci_segment", "pci_segment", Kind::number},
                               {"offload_tso", "offload_tso", Kind::boolean},
                               {"offload_ufo", "offload_ufo", Kind::boolean},
                               {"offload_csum", "offload_csum", Kind::boolean}};
inline constexpr Key kFs[] = {{"tag", "tag", Kind::text},
                              {"socket", "socket", Kind::text},
                              {"num_queues", "num_queues", Kind::number},
                              {"queue_size", "queue_size", Kind::number},
                              {"id", "id", Kind::text},
                              {"pci_segment", "pci_segment", Kind::number}};
inline constexpr Key kDevice[] = {{"path", "path", Kind::text},
                                  {"iommu", "iommu", Kind::boolean},
                                  {"id", "id", Kind::text},
                                  {"pci_segment", "pci_segment", Kind::number}};
inline constexpr Key kBalloon[] = {{"size", "size", Kind::size},
                                   {"deflate_on_oom", "deflate_on_oom", Kind::boolean},
                                   {"free_page_reporting", "free_page_reporting", Kind::boolean}};
inline constexpr Key kVsock[] = {{"cid", "cid", Kind::number},
                                 {"socket", "socket", Kind::text},
                                 {"iommu", "iommu", Kind::boolean},
                                 {"id", "id", Kind::text},
                                 {"pci_segment", "pci_segment", Kind::number}};
inline constexpr Key kRng[] = {{"src", "src", Kind::text}, {"iommu", "iommu", Kind::boolean}};
inline constexpr Key kPlatform[] = {{"num_pci_segments", "num_pci_segments", Kind::number},
                                    {"system_manufacturer", "system_manufacturer", Kind::text},
                                    {"system_product_name", "system_product_name", Kind::text},
                                    {"system_version", "system_version", Kind::text},
                                    {"system_serial_number", "system_serial_number", Kind::text},
                                    {"serial_number", "system_serial_number", Kind::text},
                                    {"system_uuid", "system_uuid", Kind::text},
                                    {"uuid", "system_uuid", Kind::text},
                                    {"system_sku_number", "system_sku_number", Kind::text},
                                    {"system_family", "system_family", Kind::text},
                                    {"chassis_asset_tag", "chassis_asset_tag", Kind::text},
                                    {"iommufd", "iommufd", Kind::boolean}};

}  // namespace vmcred::vmm::cloud_hypervisor
