// The network of a lab without root: an Ethernet switch in a process. QEMU plugs a machine in by a Unix socket. Its gateway passes TCP
// and UDP on as connections of its own, and answers DNS as the workstation resolves names. Nothing listens on the workstation but what
// the control socket is asked to forward.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/containers/gvisor-tap-vsock/pkg/types"
	"github.com/containers/gvisor-tap-vsock/pkg/virtualnetwork"
)

func main() {
	subnet := flag.String("network", "", "CIDR of the machines")
	gateway := flag.String("gateway", "", "address of the gateway in it")
	hardwareAddress := flag.String("hardware-address", "", "of the gateway")
	machines := flag.String("machines", "", "Unix socket for QEMU's -netdev stream")
	control := flag.String("control", "", "Unix socket for HTTP requests that add and remove forwarded ports")
	port := flag.String("port", "", "TCP port of the gateway that is passed on")
	to := flag.String("to", "", "address and port on the workstation that it is passed on to")
	flag.Parse()

	network, err := virtualnetwork.New(&types.Configuration{
		MTU:               1500,
		Subnet:            *subnet,
		GatewayIP:         *gateway,
		GatewayMacAddress: *hardwareAddress,
		Protocol:          types.QemuProtocol,
	})
	check(err)

	registry, err := network.Listen("tcp", net.JoinHostPort(*gateway, *port))
	check(err)
	go passOn(registry, *to)

	plugs := listen(*machines)
	requests := listen(*control)
	go func() { check((&http.Server{Handler: network.ServicesMux(), ReadHeaderTimeout: 5 * time.Second}).Serve(requests)) }()
	log.Printf("switching %s", *subnet)
	for {
		machine, err := plugs.Accept()
		check(err)
		go func() {
			log.Printf("unplugged: %v", network.AcceptQemu(context.Background(), machine))
		}()
	}
}

// What a switch that was killed has left of its socket is replaced.
func listen(path string) net.Listener {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", path)
	check(err)
	check(os.Chmod(path, 0o600))
	return listener
}

func passOn(listener net.Listener, address string) {
	for {
		client, err := listener.Accept()
		check(err)
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", address)
			if err != nil {
				log.Print(err)
				return
			}
			defer server.Close()
			go func() {
				_, _ = io.Copy(server, client)
				_ = server.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(client, server)
		}()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
