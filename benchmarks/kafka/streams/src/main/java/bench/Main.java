package bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** The task of task.py on Kafka Streams: an event for each change of status, exactly once, row by row. */
public final class Main {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
    private static final ObjectReader READ = MAPPER.readerFor(Envelope.class);
    private static final ObjectWriter WRITE = MAPPER.writerFor(Event.class);
    private static final Map<String, String> STATUS =
            Map.of("P", "placed", "C", "confirmed", "S", "shipped", "X", "cancelled");
    private static final Map<String, String> EVENT_OF =
            Map.of("P", "OrderReopened", "C", "OrderConfirmed", "S", "OrderShipped", "X", "OrderCancelled");

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Row(long order_id, long cust_id, String stat, String tot_amt) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Source(String name, long txId, long lsn, long ts_us) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Envelope(String op, Row before, Row after, Source source) {}

    public record Money(String amount, String currency) {}

    public record Data(String from, String to, String customer, Money total) {}

    public record Event(
            String specversion, String id, String type, String source, String subject, long time, Data data) {}

    static byte[] handle(byte[] value) {
        try {
            Envelope row = READ.readValue(value);
            Row before = row.before();
            Row after = row.after();
            if (!"u".equals(row.op()) || before == null || after == null || before.stat().equals(after.stat())) {
                return null;
            }
            Source source = row.source();
            String type = EVENT_OF.get(after.stat());
            String subject = "order-" + after.order_id();
            return WRITE.writeValueAsBytes(new Event(
                    "1.0",
                    source.name() + ":" + source.txId() + ":" + source.lsn() + ":" + type + ":" + subject,
                    type,
                    source.name(),
                    subject,
                    source.ts_us(),
                    new Data(
                            STATUS.get(before.stat()),
                            STATUS.get(after.stat()),
                            "customer-" + after.cust_id(),
                            new Money(after.tot_amt(), "EUR"))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static KafkaStreams start(Map<String, String> env, String group) {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env.get("BENCH_BOOTSTRAP"));
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Math.round(1000 * Double.parseDouble(env.get("BENCH_COMMIT_S"))));
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        p.put(StreamsConfig.STATE_DIR_CONFIG, env.get("BENCH_FOLDER"));
        p.put("auto.offset.reset", "earliest");
        // Tuned for throughput, as the bridge is: fewer and larger fetches and batches.
        p.put("consumer.max.poll.records", 10_000);
        p.put("consumer.max.partition.fetch.bytes", 4_194_304);
        p.put("buffered.records.per.partition", 20_000);
        p.put("producer.batch.size", 262_144);
        p.put("producer.compression.type", "lz4");
        StreamsBuilder builder = new StreamsBuilder();
        builder.<byte[], byte[]>stream(Arrays.asList(env.get("BENCH_LOGS").split(",")))
                .mapValues(Main::handle)
                .filter((k, v) -> v != null)
                .to(env.get("BENCH_OUT"));
        KafkaStreams streams = new KafkaStreams(builder.build(), p);
        streams.setUncaughtExceptionHandler(e -> {
            e.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
        streams.start();
        return streams;
    }

    /** Runs one pass for each group in BENCH_GROUPS, in one warm process; a line on standard input ends a pass. */
    public static void main(String[] args) throws Exception {
        Map<String, String> env = System.getenv();
        for (String group : env.get("BENCH_GROUPS").split(",")) {
            KafkaStreams streams = start(env, group);
            while (System.in.read() != '\n') {
                // wait for the harness
            }
            streams.close();
        }
    }

    private Main() {}
}
