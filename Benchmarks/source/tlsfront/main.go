// Ends TLS before the source, which is plain: tlsfront PORT SOURCE-PORT CERTIFICATE
//
// Makes a self-signed RSA-2048 certificate for 127.0.0.1, writes it to the file CERTIFICATE, prints
// "ready" and passes bytes on. Go's crypto/tls because it is one file and no dependency: only the
// client's memory and time are measured, and the source's handshakes bound the rate whoever makes
// them.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"time"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func certificate(file string) tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fail(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "source"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		fail(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, block, 0o644); err != nil {
		fail(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func pass(client net.Conn, source string) {
	server, err := net.Dial("tcp", source)
	if err != nil {
		fail(err)
	}
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
	client.Close()
}

func main() {
	config := &tls.Config{Certificates: []tls.Certificate{certificate(os.Args[3])}}
	listener, err := tls.Listen("tcp", "127.0.0.1:"+os.Args[1], config)
	if err != nil {
		fail(err)
	}
	fmt.Println("ready")
	for {
		client, err := listener.Accept()
		if err != nil {
			fail(err)
		}
		go pass(client, "127.0.0.1:"+os.Args[2])
	}
}
