// A model beside the rest of a program: `pulumi package add ../../components` writes its SDK into sdks/.
import * as airunway from "@pulumi/airunway";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const cluster = new kubernetes.Provider("cluster", { context: config.require("context"), upsertExistingObjects: true });

const settings = new kubernetes.core.v1.ConfigMap("settings", { metadata: { name: "settings", namespace: "ml" } }, { provider: cluster });

const chat = new airunway.ModelDeployment(
    "chat",
    {
        namespace: "ml",
        model: { id: "meta-llama/Llama-3.1-8B-Instruct", servedName: "chat" },
        resources: { gpu: { count: 1 } },
        engine: { contextLength: 8192 },
        env: [{ name: "SETTINGS", value: settings.metadata.name }],
    },
    { providers: [cluster] },
);

export const endpoint = chat.endpoint;
export const why = chat.selectedReason;
