// Reads an SM2 CRL with BouncyCastle: its certificate verifies under itself, the CRL under the certificate, and each row is
// printed as "serial reason invalidityDate(seconds)". Exit 1 where it refuses.
//   java -cp /usr/share/java/bcprov.jar SmCrl.java CA.pem CRL.der
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.util.TreeSet;
import org.bouncycastle.asn1.ASN1Enumerated;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class SmCrl {
	private static final String SM2_WITH_SM3 = "1.2.156.10197.1.501";

	private static byte[] inside(X509CRLEntry row, String oid) {
		return ASN1OctetString.getInstance(row.getExtensionValue(oid)).getOctets();
	}

	private static String text(X509CRLEntry row) throws Exception {
		long reason = ASN1Enumerated.getInstance(inside(row, "2.5.29.21")).getValue().longValueExact();
		long from = ASN1GeneralizedTime.getInstance(inside(row, "2.5.29.24")).getDate().getTime() / 1000;
		return String.format("%032x %d %d", row.getSerialNumber(), reason, from);
	}

	private static void read(String ca, String list) throws Exception {
		CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
		try (InputStream caIn = new FileInputStream(ca); InputStream listIn = new FileInputStream(list)) {
			X509Certificate certificate = (X509Certificate) factory.generateCertificate(caIn);
			X509CRL crl = (X509CRL) factory.generateCRL(listIn);
			if (!certificate.getSigAlgOID().equals(SM2_WITH_SM3) || !crl.getSigAlgOID().equals(SM2_WITH_SM3))
				throw new Exception("another algorithm");
			certificate.verify(certificate.getPublicKey(), "BC");
			crl.verify(certificate.getPublicKey(), "BC");
			TreeSet<String> rows = new TreeSet<>();
			if (crl.getRevokedCertificates() != null)
				for (X509CRLEntry row : crl.getRevokedCertificates())
					rows.add(text(row));
			rows.forEach(System.out::println);
		}
	}

	public static void main(String[] args) {
		Security.addProvider(new BouncyCastleProvider());
		try {
			read(args[0], args[1]);
		} catch (Exception refused) {
			System.out.println("refused: " + refused);
			System.exit(1);
		}
	}
}
