//go:build tools

// Packages whose programs `tests/kubernetes` builds, so that go.sum has their checksums.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
)
