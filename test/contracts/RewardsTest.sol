// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceRegistry} from "../../contracts/IDeviceRegistry.sol";
import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {IShareRewards} from "../../contracts/IShareRewards.sol";
import {ChannelTest} from "./ChannelTest.sol";

/// @title A guest, an owner, a router and a vendor, with channels, registry and rewards between them
abstract contract RewardsTest is ChannelTest {
    uint256 internal constant VENDOR_KEY = 0xA6;
    uint256 internal constant EPOCH = 7 days;
    uint256 internal constant RESERVE = 45_000_000_000_000;
    uint64 internal constant BOND = 9_500_000;
    uint64 internal constant MAX_GROWTH = 500_000;
    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;

    address internal vendor = vm.addr(VENDOR_KEY);
    address internal registrar = address(0x1001);
    address internal publisher = address(0x1002);
    address internal auditor = address(0x1003);
    address internal operator = address(0x1004);
    address internal other = address(0x1005);

    IDeviceRegistry internal registry;
    IShareRewards internal rewards;
    uint256 internal first;

    function setUp() public virtual override {
        super.setUp();
        registry = IDeviceRegistry(deployArtifact("DeviceRegistry", abi.encode(registrar, address(token))));
        first = START / EPOCH;
        rewards = deployRewards(0);
        vm.prank(payer);
        token.transfer(operator, 1_000_000_000);
        vm.prank(operator);
        token.approve(address(registry), type(uint256).max);
    }

    function deployRewards(uint16 growthBasisPoints) internal returns (IShareRewards deployed) {
        IShareRewards.GrowthTerms memory growth =
            IShareRewards.GrowthTerms(publisher, auditor, growthBasisPoints, MAX_GROWTH, BOND);
        deployed = IShareRewards(
            deployArtifact("ShareRewards", abi.encode(address(channels), address(registry), first, growth))
        );
        vm.prank(payer);
        token.transfer(address(deployed), RESERVE);
    }

    /// @dev What a guest pays for traffic over a router, at the present time.
    function pay(address through, uint64 units, uint256 salt) internal {
        IShareChannels.ChannelConfig memory config = newConfig(salt);
        config.device = through;
        config.expiry = uint40(block.timestamp + 1 days);
        vm.prank(payer);
        channels.open(config, units);
        IShareChannels.Claim memory all = claimOf(config, units, units);
        vm.prank(payee);
        channels.close(all);
    }

    function nextEpoch() internal {
        vm.warp((block.timestamp / EPOCH + 1) * EPOCH);
    }

    function epochs(uint256 epoch) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = epoch;
    }

    function bind(uint256 deviceKey, address to, uint256 nonce) internal {
        registry.bind(vm.addr(deviceKey), to, nonce, bindingSignature(deviceKey, vm.addr(deviceKey), to, nonce));
    }

    function setVendor(uint32 quota, bool active) internal {
        vm.prank(registrar);
        registry.setVendor(7, vendor, quota, active);
    }

    function register(address which) internal {
        uint40 notAfter = uint40(START + 365 days);
        registry.register(7, which, "SSP-AP-1", notAfter, attestation(VENDOR_KEY, 7, which, notAfter));
    }

    function bondFor(address which, uint64 units) internal {
        vm.prank(operator);
        registry.addBond(which, units);
    }

    function attestation(uint256 key, uint32 vendorId, address which, uint40 notAfter)
        internal
        view
        returns (IDeviceRegistry.Signature memory)
    {
        bytes32 typeHash = keccak256("VendorAttestation(uint32 vendorId,address device,bytes32 model,uint40 notAfter)");
        return registrySigned(key, keccak256(abi.encode(typeHash, vendorId, which, bytes32("SSP-AP-1"), notAfter)));
    }

    function bindingSignature(uint256 key, address which, address to, uint256 nonce)
        internal
        view
        returns (IDeviceRegistry.Signature memory)
    {
        bytes32 typeHash = keccak256("DeviceBinding(address device,address operator,uint256 nonce)");
        return registrySigned(key, keccak256(abi.encode(typeHash, which, to, nonce)));
    }

    function proofSignature(uint256 key, IDeviceRegistry.TrafficProof memory proof)
        internal
        view
        returns (IDeviceRegistry.Signature memory)
    {
        bytes32 typeHash = keccak256(
            "TrafficProof(address device,uint32 epoch,uint32 seq,uint40 startS,uint40 endS,uint64 bytesUp,uint64 bytesDown,uint64 paid,bytes32 sessionsRoot,bytes32 prev,uint8 clockState)"
        );
        return registrySigned(key, keccak256(abi.encode(typeHash, proof)));
    }

    function registrySigned(uint256 key, bytes32 structHash) private view returns (IDeviceRegistry.Signature memory) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("SSP DeviceRegistry"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        (bytes32 r, bytes32 vs) = vm.signCompact(key, keccak256(bytes.concat(hex"1901", separator, structHash)));
        return IDeviceRegistry.Signature(r, vs);
    }
}
