"""The Go modules of the toolchain and what is built from each.

Versions are in the modules' go.mod. The sizes were measured with Go 1.26 on linux/amd64, with all four built
in this order from empty caches: they decide only whether a build may start on a disk that is nearly full.
"""

from importlib.metadata import version
from pathlib import Path

from sandbox.toolchain.golang import GoModule, Program

_HERE = Path(__file__).parent
_KUBERNETES = "{k8s.io/kubernetes}"

GO_MODULES = (
    GoModule(
        group="engine",
        directory=_HERE / "engine",
        programs=(Program("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),),
        # It goes into every state file, and is what a project's requiredPulumiVersion is held against.
        variables={
            "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "{github.com/pulumi/pulumi/sdk/v3}"
        },
        binary_bytes=106_000_000,
        build_cache_bytes=1_560_000_000,
        module_cache_bytes=1_480_000_000,
    ),
    GoModule(
        group="kubernetes-provider",
        directory=_HERE / "kubernetes-provider",
        programs=(Program("pulumi-resource-kubernetes", ".", built_as="kubernetes-provider"),),
        # The engine asks a plugin for its version; it must be the one that the Python SDK expects.
        variables={"main.version": version("pulumi-kubernetes")},
        binary_bytes=142_000_000,
        build_cache_bytes=4_040_000_000,
        module_cache_bytes=650_000_000,
    ),
    GoModule(
        group="cluster",
        directory=_HERE / "cluster",
        programs=(
            Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            Program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
            Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            Program("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
            Program("etcd", "go.etcd.io/etcd/server/v3", built_as="server"),
        ),
        # The API server refuses to start, and clients to compare, with the version of an unreleased tree.
        variables={
            "k8s.io/component-base/version.gitVersion": _KUBERNETES,
            "k8s.io/client-go/pkg/version.gitVersion": _KUBERNETES,
        },
        binary_bytes=356_000_000,
        build_cache_bytes=3_560_000_000,
        module_cache_bytes=560_000_000,
    ),
    GoModule(
        group="kwok",
        directory=_HERE / "kwok",
        programs=(Program("kwok", "sigs.k8s.io/kwok/cmd/kwok"),),
        variables={},
        binary_bytes=58_000_000,
        build_cache_bytes=560_000_000,
        module_cache_bytes=260_000_000,
    ),
)
