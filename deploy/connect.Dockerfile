# Kafka's own image with the plugins that connect/pom.xml names (docs/adr/0017): the worker is exactly the broker's version,
# and the connectors are exactly those that figbridge sandbox runs and the tests have seen.
ARG KAFKA_VERSION

FROM maven:3.9.9-eclipse-temurin-17 AS plugins
COPY connect/pom.xml /build/pom.xml
RUN mvn -B -ntp -f /build/pom.xml -P connectors process-resources -Dparts=/build/parts

FROM apache/kafka:${KAFKA_VERSION}
COPY --from=plugins /build/parts/connectors /opt/figbridge/connectors
USER appuser
EXPOSE 8083
ENTRYPOINT ["/opt/kafka/bin/connect-distributed.sh", "/etc/figbridge/connect.properties"]
